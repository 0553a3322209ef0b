// Boost.JSON without its library: the one place that compiles it.
#include <boost/json/src.hpp>
