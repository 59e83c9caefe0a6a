#include "hcx/get_options.h"

namespace hc::hcx {

namespace {

constexpr std::string_view kHelp = R"(usage: hcx get [OPTION...] URL...

All URLs go through one session at once; the bodies come out in the order of the URLs, each as it
comes when it is its turn. An output that cannot be written is an error of its URL; the others go on.

  -v, --verbose           heads as curl prints them, the connections, and the time it took; on stderr. Of
                          requests: what libcurl is known to send, not what was seen on the wire
  -w, --timing            where the time went, one line per request; on stderr
  -o, --output FILE       the body of the n-th URL goes to the n-th FILE; '-' is stdout
  -i, --include           response heads before the bodies, those of redirects followed, too
  -I, --head              HEAD instead of GET; prints the response heads, as -i
  -H, --header LINE       'Name: value'; 'Name:' leaves the automatic field out; 'Name;' sends it empty
  -d, --data DATA         a body, by POST; '@FILE' or '@-' sends a file as it is; several are joined by '&'
  -T, --upload-file FILE  a body, by PUT; read as it is sent
  -X, --request METHOD
  -L, --location          follow redirects
      --max-redirs N      more are an error; -1: 1000, which is the most. Default: 50
      --compressed        ask for compressed bodies, and decode them
  -u, --user USER:PASSWORD    Basic authentication
  -k, --insecure          accept any certificate
      --cacert FILE       trust these authorities (PEM) and no others
  -E, --cert FILE[:PASSWORD]  our certificate (PEM), for servers that ask for one; '\:' is a colon in FILE
      --key FILE          its key, if that is in a file of its own
      --pass PASSWORD     of the key
      --pin-sha256 HEX    the server's certificate must have this digest; several: any of them
      --tls-server-name NAME  in place of the URL's host: asked for, and looked for in the certificate
      --tlsv1.3           nothing older
  -x, --proxy URL         http, https, socks5 or socks5h, with user and password in it; '' is none
      --proxy-header LINE 'Name: value' or 'Name;', for the proxy alone
      --noproxy LIST      hosts to reach without it; '' is none, whatever $no_proxy says
      --trust-env         proxies of $http_proxy, $https_proxy, $all_proxy and $no_proxy
      --unix-socket PATH  in place of the URL's host; '@NAME' is an abstract one
      --public-only       no address that is not public
      --connect-timeout S until a connection is ready, the time in line for one included; 0: no limit.
                          Default: 10 s for a name, 30 s for the connection, none in line
  -m, --max-time S        for each request as a whole, the time in line included; 0, the default: no limit
      --resolve HOST:PORT:ADDRESS[,ADDRESS...]    in place of DNS; port '*' is every port
      --dns-servers LIST  ADDRESS[:PORT],...
  -4, --ipv4 / -6, --ipv6
  -f, --fail              HTTP status 400 and above is an error: exit code 22, no body
  -s, --silent            no error lines
      --limit N           most connections at one time; 0: as many as descriptors allow. Default: 100
      --limit-per-host N  the same for each host
      --repeat N          each URL so many times

Exit code: 0 if all were answered, 1 if not, 2 for wrong usage, 22 with -f.
)";

}  // namespace

std::string_view get_help() { return kHelp; }

}  // namespace hc::hcx
