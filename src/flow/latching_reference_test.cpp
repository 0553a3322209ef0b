#include <gtest/gtest.h>

#include <array>

#include "flow/testing.hpp"

namespace millrace::flow {
namespace {

using testing::LatchCase;
using testing::play_all;

constexpr std::array kSignalling{
    LatchCase{"the first address is the destination, and is trusted", "reference", "0 signal S > S -"},
    LatchCase{"another address replaces it before any packet", "reference", "0 signal S > S -; 9 signal T > T -"},
    LatchCase{"and while packets came from the signalled address alone", "reference",
              "0 signal S > S -; 20 rtp S 7 1 > learned S l; 5000 signal T > T l"},
    LatchCase{"once taken from a packet the destination is not the signalling's any more", "reference",
              "0 signal S > S -; 20 rtp E 7 1 > learned E ul; 5000 signal T > E ul"},
    LatchCase{"an address that comes first from a packet stays too", "reference",
              "0 rtp E 7 1 > learned E ul; 10 signal S > E ul"},
};

constexpr std::array kSymmetric{
    LatchCase{"destination unknown: learn, untrusted and latched", "reference", "0 rtp E 7 1 > learned E ul"},
    LatchCase{"source is the destination, not latched: latch", "reference",
              "0 signal S > S -; 20 rtp S 7 1 > learned S l"},
    LatchCase{"source is the destination, latched: relay", "reference",
              "0 signal S > S -; 20 rtp S 7 1 > learned S l; 40 rtp S 7 2 > accept S l; 60 raw S > accept S l"},
    LatchCase{"source differs, not latched: learn and latch", "reference",
              "0 signal S > S -; 20 rtp E 7 1 > learned E ul"},
    LatchCase{"another port of the signalled host differs too", "reference",
              "0 signal S > S -; 20 rtp s 7 1 > learned s ul"},
    LatchCase{"source differs, latched, another stream: ignore", "reference",
              "0 signal S > S -; 20 rtp S 7 1 > learned S l; 40 rtp E 8 2 > ignore S l; 60 rtp S 7 2 > accept S l"},
};

constexpr std::array kMoving{
    LatchCase{"the same stream goes on from elsewhere", "reference",
              "0 rtp E 7 100 > learned E ul; 20 rtp F 7 101 > learned F ul; 40 rtp E 7 102 > learned E ul"},
    LatchCase{"the same number is a distance of none", "reference",
              "0 rtp E 7 100 > learned E ul; 20 rtp F 7 100 > learned F ul"},
    LatchCase{"536 numbers on", "reference", "0 rtp E 7 100 > learned E ul; 20 rtp F 7 636 > learned F ul"},
    LatchCase{"537 numbers on are too many", "reference", "0 rtp E 7 100 > learned E ul; 20 rtp F 7 637 > ignore E ul"},
    LatchCase{"one number back is 65535 forward", "reference",
              "0 rtp E 7 100 > learned E ul; 20 rtp F 7 99 > ignore E ul"},
    LatchCase{"40,000 numbers forward are forward", "reference",
              "0 rtp E 7 100 > learned E ul; 20 rtp F 7 40100 > ignore E ul"},
    LatchCase{"forward over the wrap", "reference", "0 rtp E 7 65500 > learned E ul; 20 rtp F 7 100 > learned F ul"},
    LatchCase{"a datagram that is not RTP never moves the latch", "reference",
              "0 rtp E 7 100 > learned E ul; 20 raw F > ignore E ul"},
    LatchCase{"within 10 s after an update any RTP source may", "reference",
              "0 signal S; 20 rtp E 7 100 > learned E ul; 1000 signal T > E ul; 11000 rtp F 8 9 > learned F ul"},
    LatchCase{"later than that it may not", "reference",
              "0 signal S; 20 rtp E 7 100 > learned E ul; 1000 signal T > E ul; 11001 rtp F 8 9 > ignore E ul"},
    LatchCase{"the first address is no update: nothing was known", "reference",
              "0 signal S; 20 rtp S 7 100 > learned S l; 40 rtp E 8 9 > ignore S l"},
    LatchCase{"the same address again is an update", "reference",
              "0 signal S; 20 rtp S 7 100 > learned S l; 40 signal S > S l; 60 rtp E 8 9 > learned E ul"},
    LatchCase{"within 10 s after an update what is not RTP may not", "reference",
              "0 signal S; 20 rtp S 7 100 > learned S l; 40 signal S; 60 raw E > ignore S l"},
    LatchCase{"the remembered number follows once a second", "reference",
              "0 rtp E 7 0 > learned E ul; 999 rtp E 7 500 > accept; 999 rtp F 7 600 > ignore;"
              "1000 rtp E 7 501 > accept; 1001 rtp F 7 1037 > learned F ul"},
};

constexpr std::array kLatching{
    LatchCase{"what is not RTP latches, and nothing moves it afterwards", "reference",
              "0 signal S; 20 raw E > learned E ul; 40 rtp F 7 1 > ignore E ul; 60 rtp E 7 2 > accept E ul;"
              "80 rtp F 7 3 > ignore E ul; 90 signal T > E ul; 100 rtp F 7 4 > ignore E ul"},
    LatchCase{"SSRC 0 never latches: every source is learned", "reference",
              "0 signal S; 20 rtp S 0 1 > accept S -; 40 rtp E 0 2 > learned E u; 60 rtp E 0 3 > accept E u;"
              "80 rtp F 0 4 > learned F u; 90 rtp E 7 1 > learned E ul; 95 rtp F 0 5 > ignore E ul"},
    LatchCase{"SSRC 0 does not latch where the destination was unknown either", "reference",
              "0 rtp E 0 1 > learned E u; 20 rtp F 0 2 > learned F u"},
    LatchCase{"SSRC 0 that may move the latch opens it", "reference",
              "0 signal S; 20 rtp S 7 1 > learned S l; 40 signal S; 60 rtp E 0 9 > learned E u"},
    LatchCase{"another SSRC of the same source is remembered", "reference",
              "0 rtp E 7 100 > learned E ul; 20 rtp E 8 5000 > accept; 40 rtp F 8 5001 > learned F ul"},
    LatchCase{"but not within 10 s after an update", "reference",
              "0 rtp E 7 100 > learned E ul; 10 signal S; 10000 rtp E 8 5000 > accept; 10011 rtp F 8 5001 > ignore;"
              "10012 rtp F 7 101 > learned F ul"},
};

constexpr std::array kAsymmetric{
    LatchCase{"latched from the start", "reference asymmetric", "0 signal S > S l"},
    LatchCase{"any port of the destination's host may send, and changes nothing", "reference asymmetric",
              "0 signal S > S l; 20 rtp s 7 1 > accept S l; 40 raw S > accept S l"},
    LatchCase{"other hosts are ignored, also after an update", "reference asymmetric",
              "0 signal S > S l; 20 rtp E 7 1 > ignore S l; 30 signal S > S l; 40 rtp E 7 2 > ignore S l"},
    LatchCase{"an unknown destination is filled by the first packet", "reference asymmetric",
              "0 rtp E 7 1 > learned E ul; 20 rtp F 7 2 > ignore E ul; 40 rtp e 9 3 > accept E ul"},
    LatchCase{"a new address redirects", "reference asymmetric", "0 signal S > S l; 20 signal T > T l"},
    LatchCase{"a party that becomes symmetric may be learned again", "reference asymmetric",
              "0 signal S > S l; 20 rules reference > S -; 40 rtp E 7 1 > learned E ul"},
    LatchCase{"a party that becomes asymmetric stays where it was learned", "reference",
              "0 rtp E 7 1 > learned E ul; 20 rules reference asymmetric > E ul; 40 rtp F 7 2 > ignore E ul"},
};

constexpr std::array kRtcp{
    LatchCase{"the first packet latches", "reference rtcp",
              "0 signal S+; 20 raw E > learned E ul; 40 raw F > ignore E ul"},
    LatchCase{"and nothing moves it, also after an update", "reference rtcp",
              "0 signal S+; 20 raw S+ > learned S+ l; 40 signal S+; 60 raw F > ignore S+ l"},
    LatchCase{"not even what looks like RTP", "reference rtcp",
              "0 signal S+; 20 rtp S+ 7 1 > learned S+ l; 40 signal S+; 60 rtp F 7 2 > ignore S+ l"},
    LatchCase{"unknown: guessed from the RTP source, open for the first packet", "reference rtcp",
              "0 follow E > changed E+ u; 20 raw e > learned e ul"},
    LatchCase{"on another host: guessed", "reference rtcp", "0 signal S+; 20 follow E > changed E+ u"},
    LatchCase{"on the same host: kept", "reference rtcp", "0 signal S+; 20 follow s > kept S+ -"},
    LatchCase{"a guess moves what was latched to another host", "reference rtcp",
              "0 signal S+; 20 raw S+ > learned S+ l; 40 follow E > changed E+ u; 60 raw E+ > learned E+ ul"},
    LatchCase{"for an asymmetric party the guess is final", "reference rtcp asymmetric",
              "0 follow E > changed E+ ul; 20 raw F > ignore E+ ul; 40 raw e > accept E+ ul"},
    LatchCase{"an RTP port follows nothing", "reference", "0 signal S > S -; 20 follow E > kept S -"},
};

TEST(ReferenceLatching, signalling_fills_what_no_packet_has_taught) { play_all(kSignalling); }
TEST(ReferenceLatching, a_symmetric_party_is_learned_from_its_packets) { play_all(kSymmetric); }
TEST(ReferenceLatching, a_latched_stream_moves_when_it_continues_or_was_updated) { play_all(kMoving); }
TEST(ReferenceLatching, what_latches_and_what_never_does) { play_all(kLatching); }
TEST(ReferenceLatching, an_asymmetric_party_is_not_learned) { play_all(kAsymmetric); }
TEST(ReferenceLatching, rtcp_latches_at_once_and_is_guessed_from_rtp) { play_all(kRtcp); }

}  // namespace
}  // namespace millrace::flow
