/* Waits at a spsc, and deaths. */

#define NOUN spsc
#define LANES 1
#include "lanes_waits.h"
