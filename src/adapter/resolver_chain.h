#pragma once

#include <memory>
#include <string>

#include "adapter/ares_resolver.h"
#include "adapter/hook_resolver.h"
#include "adapter/system_resolver.h"
#include "base/status.h"
#include "event/reactor.h"
#include "model/resolver.h"

namespace hc {

struct ResolverOptions {
  std::string nameservers;  // empty: the system's; else "127.0.0.1:5353,[::1]:53"
  Hook hook;                // empty: none
  // For tests.
  std::string hosts_file = "/etc/hosts";
  std::string nsswitch_conf = "/etc/nsswitch.conf";
  std::string resolv_conf = "/etc/resolv.conf";
  uint16_t port = 53;  // of the name servers in resolv_conf
  SystemResolverOptions system;
};

/// The resolver of a session: the hook, then the hosts file, then whoever can know the name:
///
///   nameservers given          c-ares, nobody else
///   *.local                    the system: multicast DNS (RFC 6762), which c-ares does not speak
///   single labels, and every   c-ares; the system where c-ares found no such name or no name server
///   name if NSS has more       (LLMNR, LDAP, mymachines, systemd-resolved without its stub, ...)
///   everything else            c-ares
///
/// Single labels ask c-ares first, for in containers they are names of services, with a TTL, and need no thread.
/// Null, and *status says why (HC_E_INVALID names the option), when an option is wrong or c-ares does not start.
/// `post` must outlive the resolver. Reads configuration files. Life cycle as that of AresResolver.
std::unique_ptr<Resolver> make_resolver(Reactor& reactor, const ResolverOptions& options, Post post,
                                        Status* status);

}  // namespace hc
