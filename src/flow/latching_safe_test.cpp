#include <gtest/gtest.h>

#include <array>

#include "flow/testing.hpp"

namespace millrace::flow {
namespace {

using testing::LatchCase;
using testing::play_all;

constexpr std::array kFirst{
    LatchCase{"until a packet arrives media goes to the signalled address", "safe", "0 signal S > S -"},
    LatchCase{"the first packet is learned from at once", "safe", "0 signal S; 20 rtp E 7 1 > learned E u"},
    LatchCase{"also when nothing was signalled", "safe", "0 rtp E 7 1 > learned E u; 20 rtp E 7 2 > accept E u"},
    LatchCase{"also when it is no RTP", "safe", "0 signal S; 20 raw E > learned E u"},
    LatchCase{"from the exact signalled address it settles everything", "safe",
              "0 signal S; 20 rtp S 7 1 > learned S l; 40 rtp E 8 1 > ignore S l; 60 rtp s 8 1 > ignore S l"},
};

constexpr std::array kWindow{
    LatchCase{"the signalled host outranks a stranger", "safe",
              "0 signal S; 20 rtp E 7 1 > learned E u; 500 rtp s 8 1 > learned s u; 520 rtp E 7 2 > ignore s u"},
    LatchCase{"the exact address outranks its host and closes the window", "safe",
              "0 signal S; 20 rtp s 7 1 > learned s u; 40 rtp S 8 1 > learned S l; 60 rtp s 7 2 > ignore S l"},
    LatchCase{"within a rank the first one stays", "safe",
              "0 signal S; 20 rtp E 7 1 > learned E u; 40 rtp F 8 1 > ignore E u"},
    LatchCase{"within a rank RTP outranks what is none", "safe",
              "0 signal S; 20 raw E > learned E u; 40 rtp F 8 1 > learned F u; 60 raw e > ignore F u"},
    LatchCase{"RTP of a stranger does not outrank the signalled host", "safe",
              "0 signal S; 20 raw s > learned s u; 40 rtp E 8 1 > ignore s u"},
    LatchCase{"a source that turns out to send RTP is ranked as such", "safe",
              "0 signal S; 20 raw E > learned E u; 40 rtp E 7 1 > accept E u; 60 rtp F 8 1 > ignore E u"},
    LatchCase{"the window counts from the first packet, not from the better one", "safe",
              "0 signal S; 20 raw E > learned E u; 900 rtp F 8 1 > learned F u; 1019 rtp F 8 2 > accept F u;"
              "1020 rtp F 8 3 > learned F ul"},
    LatchCase{"last moment of the window", "safe",
              "0 signal S; 20 rtp E 7 1 > learned E u; 1019 rtp s 8 1 > learned s u"},
    LatchCase{"it closes though the source is silent", "safe",
              "0 signal S; 20 rtp E 7 1 > learned E u; 1020 rtp s 8 1 > ignore E u"},
};

constexpr std::array kLocked{
    LatchCase{"after the window the source is locked", "safe",
              "0 signal S; 20 rtp E 7 1 > learned E u; 1020 rtp E 7 51 > learned E ul; 1040 rtp E 7 52 > accept E ul;"
              "1050 rtp s 8 1 > ignore E ul; 1060 raw F > ignore E ul; 1070 rtp E 7 53 > accept E ul"},
    LatchCase{"only the exact signalled address may displace it", "safe",
              "0 signal S; 20 rtp E 7 1 > learned E u; 1020 rtp E 7 51 > learned E ul; 9000 raw S > learned S l;"
              "9020 rtp E 7 52 > ignore S l"},
    LatchCase{"what is dropped leaves no trace", "safe",
              "0 signal S; 20 rtp E 7 1 > learned E u; 1020 rtp E 7 51 > learned E ul; 1030 rtp F 7 999 > ignore E ul;"
              "1200 rtp F 7 1000 > ignore E ul; 1240 rtp F 7 52 > learned F ul"},
};

constexpr std::array kRelatch{
    LatchCase{
        "the same stream goes on from elsewhere after silence", "safe",
        "0 signal S; 20 rtp S 7 100 > learned S l; 220 rtp E 7 101 > learned E ul; 240 rtp E 7 102 > accept E ul"},
    LatchCase{
        "but the exact signalled address may come back", "safe",
        "0 signal S; 20 rtp S 7 100 > learned S l; 220 rtp E 7 101 > learned E ul; 240 rtp S 7 102 > learned S l"},
    LatchCase{"199 ms are no silence", "safe",
              "0 signal S; 20 rtp S 7 100 > learned S l; 219 rtp E 7 101 > ignore S l"},
    LatchCase{"a hundred numbers on", "safe",
              "0 signal S; 20 rtp S 7 100 > learned S l; 2020 rtp E 7 200 > learned E ul"},
    LatchCase{"a hundred and one", "safe", "0 signal S; 20 rtp S 7 100 > learned S l; 2020 rtp E 7 201 > ignore S l"},
    LatchCase{"the same number is no continuation", "safe",
              "0 signal S; 20 rtp S 7 100 > learned S l; 2020 rtp E 7 100 > ignore S l"},
    LatchCase{"an older one is none", "safe", "0 signal S; 20 rtp S 7 100 > learned S l; 2020 rtp E 7 99 > ignore S l"},
    LatchCase{"over the wrap", "safe", "0 signal S; 20 rtp S 7 65535 > learned S l; 2020 rtp E 7 0 > learned E ul"},
    LatchCase{"another SSRC is another stream", "safe",
              "0 signal S; 20 rtp S 7 100 > learned S l; 2020 rtp E 8 101 > ignore S l"},
    LatchCase{"what is not RTP continues nothing", "safe",
              "0 signal S; 20 rtp S 7 100 > learned S l; 2020 raw E > ignore S l"},
    LatchCase{"any packet of the source breaks its silence", "safe",
              "0 signal S; 20 rtp S 7 100 > learned S l; 200 raw S > accept; 220 rtp E 7 101 > ignore S l"},
    LatchCase{"a stream moves within the window too", "safe",
              "0 signal S; 20 rtp E 7 100 > learned E u; 320 rtp F 7 105 > learned F u"},
    LatchCase{"the moved stream is held on to in turn", "safe",
              "0 signal S; 20 rtp S 7 100 > learned S l; 300 rtp E 7 110 > learned E ul; 320 rtp E 7 111 > accept;"
              "900 rtp F 7 112 > learned F ul"},
};

constexpr std::array kReopening{
    LatchCase{"a new address is where media goes, and learning opens", "safe",
              "0 signal S; 20 rtp S 7 1 > learned S l; 5000 signal T > T -; 5020 rtp T 8 1 > learned T l"},
    LatchCase{"behind NAT the next packet is learned", "safe",
              "0 signal S; 20 rtp E 7 1 > learned E u; 1500 rtp E 7 2 > learned E ul; 5000 signal T > T -;"
              "5020 rtp F 8 1 > learned F u"},
    LatchCase{"the same address again opens nothing", "safe",
              "0 signal S; 20 rtp E 7 1 > learned E u; 1500 rtp E 7 2 > learned E ul; 5000 signal S > E ul;"
              "5020 rtp F 8 1 > ignore E ul"},
    LatchCase{"last packets of the old source do not lock its successor out", "safe",
              "0 signal S; 20 rtp E 7 1 > learned E u; 1500 rtp E 7 2 > learned E ul; 5000 signal T > T -;"
              "5010 rtp E 7 3 > learned E u; 9000 rtp F 8 1 > learned F u; 9020 rtp E 7 4 > ignore F u;"
              "9999 rtp F 8 2 > accept F u; 10000 rtp F 8 3 > learned F ul"},
    LatchCase{"an old source that stays is locked again", "safe",
              "0 signal S; 20 rtp E 7 1 > learned E u; 1500 rtp E 7 2 > learned E ul; 5000 signal T > T -;"
              "5010 rtp E 7 3 > learned E u; 6010 rtp E 7 4 > learned E ul; 6020 rtp F 8 1 > ignore E ul"},
    LatchCase{"on the signalled host even the old source outranks a stranger", "safe",
              "0 signal S; 20 rtp s 7 1 > learned s u; 100 signal S; 200 signal T > T -; 220 signal S > S -;"
              "240 rtp s 7 2 > learned s u; 260 rtp E 8 1 > ignore s u"},
    LatchCase{"a new address while nothing was heard", "safe",
              "0 signal S > S -; 20 signal T > T -; 40 rtp S 7 1 > learned S u"},
};

constexpr std::array kStrict{
    LatchCase{"the signalled address alone", "strict",
              "0 signal S > S l; 20 rtp S 7 1 > accept S l; 40 rtp s 7 2 > ignore S l; 900 rtp E 7 3 > ignore S l"},
    LatchCase{"nobody while nothing is signalled", "strict", "0 rtp E 7 1 > ignore - l"},
    LatchCase{"a new address replaces it", "strict",
              "0 signal S; 20 rtp S 7 1 > accept S l; 30 signal T > T l; 40 rtp S 7 2 > ignore T l"},
    LatchCase{"rules that become strict forget what was learned", "safe",
              "0 signal S; 20 rtp E 7 1 > learned E u; 30 rules strict > S l; 40 rtp E 7 2 > ignore S l"},
    LatchCase{"asymmetric never learns, any port of the host may send", "safe asymmetric",
              "0 signal S > S l; 20 rtp s 7 1 > accept S l; 40 rtp E 7 2 > ignore S l"},
    LatchCase{"asymmetric does not even fill an unknown destination", "safe asymmetric", "0 rtp E 7 1 > ignore - l"},
    LatchCase{"a party that becomes symmetric is learned", "safe asymmetric",
              "0 signal S > S l; 10 rules safe > S -; 20 rtp E 7 1 > learned E u"},
    LatchCase{"RTCP of an asymmetric party follows nothing", "safe asymmetric rtcp",
              "0 signal S+ > S+ l; 10 follow E > kept S+ l"},
    LatchCase{"RTCP of a strict port neither", "strict rtcp", "0 signal S+ > S+ l; 10 follow E > kept S+ l"},
};

constexpr std::array kRtcp{
    LatchCase{"is learned on its own port", "safe rtcp",
              "0 signal S+; 20 raw E > learned E u; 40 raw s > learned s u; 1020 raw s > learned s ul; 2000 raw E > "
              "ignore s ul"},
    LatchCase{"follows the RTP source, one port above", "safe rtcp", "0 signal S+; 20 follow E > changed E+ u"},
    LatchCase{"strangers have no chance from then on, other ports of its host have", "safe rtcp",
              "0 signal S+; 20 follow E > changed E+ u; 40 raw F > ignore E+ u; 60 raw e > learned e u;"
              "9000 raw F > ignore e u"},
    LatchCase{"the exact guess closes the window", "safe rtcp",
              "0 signal S+; 20 follow E > changed E+ u; 40 raw E+ > learned E+ ul; 60 raw e > ignore E+ ul"},
    LatchCase{"follows when the RTP source moves", "safe rtcp",
              "0 signal S+; 20 follow E > changed E+ u; 40 raw E+ > learned E+ ul; 60 follow F > changed F+ u;"
              "80 raw E+ > ignore F+ u; 100 raw F+ > learned F+ ul"},
    LatchCase{"the same RTP source again changes nothing", "safe rtcp",
              "0 signal S+; 20 follow E > changed E+ u; 40 raw F > ignore E+ u; 60 follow E > kept E+ u"},
    LatchCase{"on the RTP source's host what is known stands", "safe rtcp", "0 signal S+; 20 follow s > kept S+ -"},
    LatchCase{"RTCP from where it was signalled does not follow", "safe rtcp",
              "0 signal S+; 20 raw S+ > learned S+ l; 40 follow E > kept S+ l"},
    LatchCase{"a stranger locked in by chance gives way when RTP is learned elsewhere", "safe rtcp",
              "0 signal S+; 20 raw F > learned F u; 1500 raw F > learned F ul; 1600 follow E > changed E+ u"},
};

TEST(SafeLatching, the_first_packet_is_learned_from) { play_all(kFirst); }
TEST(SafeLatching, a_better_source_takes_over_within_the_window) { play_all(kWindow); }
TEST(SafeLatching, a_locked_source_is_left_to_nobody_but_the_signalled_one) { play_all(kLocked); }
TEST(SafeLatching, a_stream_that_continues_elsewhere_after_silence_moves) { play_all(kRelatch); }
TEST(SafeLatching, a_new_signalled_address_opens_learning_again) { play_all(kReopening); }
TEST(SafeLatching, strict_and_asymmetric_never_learn) { play_all(kStrict); }
TEST(SafeLatching, rtcp_learns_on_its_own_or_follows_rtp) { play_all(kRtcp); }

TEST(SafeLatching, a_flood_of_strangers_never_gets_the_media_of_a_locked_source) {
  testing::LatchScript script{"flood", "safe"};
  script.play("0 signal S; 20 rtp S 7 1 > learned S l");
  for (int i = 0; i < 20000; ++i) {
    // Every address, every number, but not the SSRC, which only the path knows.
    script.play(std::to_string(1000 + i) + " rtp E 8 " + std::to_string(i) + " > ignore S l");
  }
}

}  // namespace
}  // namespace millrace::flow
