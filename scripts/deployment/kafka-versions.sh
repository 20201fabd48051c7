#!/bin/bash
# The health check of the compose file asks by this name. Kafka's own tool is not among the jars of `make up`, so this asks less:
# whether the broker takes connections, which it does only when it has started.
address=${2:?--bootstrap-server HOST:PORT}
exec 3<>"/dev/tcp/${address%:*}/${address##*:}"
