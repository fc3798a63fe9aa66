// Calls for alerts (docs/guides/alerts.md).
#ifndef KELP_SERVER_ALERT_API_H_
#define KELP_SERVER_ALERT_API_H_

#include "alert/engine.h"
#include "server/api.h"

namespace kelp::server {

// Seeing alerts needs a viewer, changing and silencing them an administrator: a webhook makes the
// server call an address. The engine outlives the router.
void AddAlertRoutes(net::Router& router, Api& api, alert::AlertEngine& engine);

}  // namespace kelp::server

#endif  // KELP_SERVER_ALERT_API_H_
