/* hc.h compiles as pedantic C99, and a second time in the same file. */
#include <hc/hc.h>

#include <hc/hc.h>

long header_c99_version(void);

long header_c99_version(void) { return HC_VERSION_NUMBER; }
