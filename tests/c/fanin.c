/* What a fanin does in one process. */

#define NOUN fanin
#define LANES 3
#include "lanes_calls.h"
