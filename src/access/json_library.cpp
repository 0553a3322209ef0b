// Boost.JSON without its library: the one place of the daemon that compiles it.
#include <boost/json/src.hpp>
