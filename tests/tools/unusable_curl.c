/* To be preloaded: the libcurl that is there says of itself what UNUSABLE_CURL says, that it is "old" or has "no-tls". */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

__attribute__((visibility("default"))) curl_version_info_data* curl_version_info(CURLversion age) {
  typedef curl_version_info_data* (*Function)(CURLversion);
  static curl_version_info_data told;
  const char* what = getenv("UNUSABLE_CURL");
  Function real = (Function)dlsym(RTLD_NEXT, "curl_version_info");
  if (real == NULL || what == NULL) abort();
  told = *real(age);
  if (strcmp(what, "no-tls") == 0) told.features &= ~CURL_VERSION_SSL;
  if (strcmp(what, "old") == 0) {
    told.version = "7.70.0";
    told.version_num = 0x074600;
  }
  return &told;
}
