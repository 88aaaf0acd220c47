/* Waits at a fanin, and deaths. */

#define NOUN fanin
#define LANES 3
#include "lanes_waits.h"
