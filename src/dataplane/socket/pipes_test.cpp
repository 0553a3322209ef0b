#include "dataplane/socket/pipes.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/check.hpp"

namespace millrace::dataplane {
namespace {

TEST(PipePool, lends_so_many_and_not_one_more) {
  PipePool pool{2};
  auto first = pool.borrow(), second = pool.borrow();
  ASSERT_TRUE(first && second);
  EXPECT_GE(first->capacity, 4096u);
  EXPECT_FALSE(pool.borrow());
  const int descriptor = first->in.get();
  pool.give_back(std::move(first), true);
  EXPECT_EQ(pool.idle(), 1u);
  const auto again = pool.borrow();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->in.get(), descriptor) << "the same pipe serves again";
  EXPECT_EQ(pool.lent(), 2u);
}

TEST(PipePool, closes_a_pipe_that_still_holds_bytes) {
  PipePool pool{1};
  auto pipe = pool.borrow();
  ASSERT_EQ(::write(pipe->in.get(), "x", 1), 1);
  const int descriptor = pipe->in.get();
  pool.give_back(std::move(pipe), false);
  EXPECT_EQ(pool.idle(), 0u);
  EXPECT_EQ(::write(descriptor, "x", 1), -1);
  EXPECT_TRUE(pool.borrow());
}

TEST(PipePool, of_none_lends_none) { EXPECT_FALSE(PipePool{0}.borrow()); }

}  // namespace
}  // namespace millrace::dataplane
