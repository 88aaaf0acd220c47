/* What a spsc does in one process. */

#define NOUN spsc
#define LANES 1
#include "lanes_calls.h"
