#include "hcx/get_options.h"

namespace hc::hcx {

namespace {

constexpr std::string_view kHelp = R"(usage: hcx get [OPTION...] URL...

All URLs go through one session at once; the bodies come out in the order of the URLs, each as it
comes when it is its turn. An output that cannot be written is an error of its URL; the others go on.

What is asked for:
      --url URL           the same as URL alone
  -H, --header LINE       'Name: value'; 'Name:' leaves the automatic field out; 'Name;' sends it empty
  -A, --user-agent NAME   '' sends none
  -e, --referer URL
  -b, --cookie NAME=VALUE several are joined by '; '
  -u, --user USER:PASSWORD    Basic authentication
  -X, --request METHOD
  -I, --head              HEAD instead of GET; prints the response heads, as -i
  -d, --data DATA         a body, by POST; '@FILE' or '@-' sends a file as it is; several are joined by '&'
      --data-binary DATA  the same
      --data-raw DATA     the same, but '@' means nothing
  -G, --get               what -d gives goes into the URL's query, by GET
  -T, --upload-file FILE  a body, by PUT; read as it is sent, '-' is stdin. A URL that ends with '/' gets
                          FILE's name
  -L, --location          follow redirects
      --max-redirs N      more are an error; -1: 1000, which is the most. Default: 50
      --max-filesize N    a longer body is an error; 'K', 'M', 'G' or 'T' may follow
      --compressed        ask for compressed bodies, and decode them
      --repeat N          each URL so many times

What is printed:
  -o, --output FILE       the body of the n-th URL goes to the n-th FILE; '-' is stdout
  -O, --remote-name       in place of -o: to a file named as the end of the URL's path
  -i, --include           response heads before the bodies, those of redirects followed, too
  -D, --dump-header FILE  response heads go there; '-' is stdout
  -f, --fail              HTTP status 400 and above is an error: exit code 22, no body
  -s, --silent            no error lines
  -S, --show-error        error lines all the same
  -w, --write-out FORMAT  after each body, to stdout; '@FILE' reads it. %{NAME} is a value, of these: http_code
                          response_code http_version content_type size_download num_connects num_redirects
                          remote_ip remote_port method url url_effective exitcode errormsg time_namelookup
                          time_connect time_appconnect time_pretransfer time_starttransfer time_total (seconds,
                          the time in line included); %{stderr} and %{stdout} say where to; \n \r \t, and %% for %
      --timing            where the time went, one line per request; on stderr
  -v, --verbose           heads as curl prints them, the connections, and the time it took; on stderr. Of
                          requests: what libcurl is known to send, not what was seen on the wire. Without
                          passwords and cookies

Whom to trust:
  -k, --insecure          accept any certificate of servers
      --cacert FILE       trust these authorities (PEM) and no others
  -E, --cert FILE[:PASSWORD]  our certificate (PEM), for servers that ask for one; '\:' is a colon in FILE
      --key FILE          its key, if that is in a file of its own
      --pass PASSWORD     of the key
      --pin-sha256 HEX    the server's certificate must have this digest; several: any of them
      --tls-server-name NAME  in place of the URL's host: asked for, and looked for in the certificate
      --tlsv1.2 / --tlsv1.3   nothing older. Default: 1.2
      --public-only       no address that is not public
      --allow-addresses LIST  blocks such as 10.0.0.0/8: these all the same; without --public-only: only these
      --deny-addresses LIST   never these
      --trusted-proxies LIST  names of proxies whose own address is not asked about

The way there:
  -x, --proxy URL         http, https, socks5 or socks5h, with user and password in it; '' is none
  -U, --proxy-user USER:PASSWORD  for it
      --proxy-header LINE 'Name: value' or 'Name;', for the proxy alone
      --proxy-insecure    accept any certificate of https proxies
      --proxy-cacert FILE, --proxy-cert FILE[:PASSWORD], --proxy-key FILE, --proxy-pass PASSWORD
                          as those for servers. Without --proxy-cacert that of servers is for proxies, too
      --noproxy LIST      hosts to reach without it; '' is none, whatever $no_proxy says
      --trust-env         proxies of $http_proxy, $https_proxy, $all_proxy and $no_proxy
      --unix-socket PATH  in place of the URL's host; '@NAME' is an abstract one
      --interface NAME    a device ('if!' in front makes sure) or an address of this machine ('host!')
      --resolve HOST:PORT:ADDRESS[,ADDRESS...]    in place of DNS; port '*' is every port
      --dns-servers LIST  ADDRESS[:PORT],...
  -4, --ipv4 / -6, --ipv6

Limits:
      --connect-timeout S until a connection is ready, the time in line for one included; 0: no limit.
                          Default: 10 s for a name, 30 s for the connection, none in line
  -m, --max-time S        for each request as a whole, the time in line included; 0, the default: no limit
      --keepalive-time S  probe silent connections so often
      --limit N           most connections at one time; 0: as many as descriptors allow. Default: 100
      --limit-per-host N  the same for each host

Exit code: 0 if all were answered, 1 if not, 2 for wrong usage, 22 with -f.
)";

}  // namespace

std::string_view get_help() { return kHelp; }

}  // namespace hc::hcx
