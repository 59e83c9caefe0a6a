/* Uses an installed libhc: the header and the library it finds must be of one version. */
#include <hc/hc.h>

#include <stdio.h>
#include <string.h>

int main(void) {
  printf("consumer: header %s, library %s\n", HC_VERSION_STRING, hc_version());
  return strcmp(hc_version(), HC_VERSION_STRING) == 0 && hc_version_number() == HC_VERSION_NUMBER ? 0 : 1;
}
