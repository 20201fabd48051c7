#!/bin/sh
# What the files of this project use of the official image's entry point: each KAFKA_… variable is a setting of server.properties.
set -eu
properties=/tmp/server.properties
env | grep '^KAFKA_' | grep -v '^KAFKA_HEAP_OPTS=' | while IFS='=' read -r name value; do
    printf '%s=%s\n' "$(printf '%s' "${name#KAFKA_}" | tr 'A-Z_' 'a-z.')" "$value"
done >"$properties"
java="java ${KAFKA_HEAP_OPTS:-} -XX:-UsePerfData -XX:TieredStopAtLevel=1 -Dlog4j2.configurationFile=/opt/kafka/log4j2.properties -cp /opt/kafka/libs/*"
if [ ! -f "$KAFKA_LOG_DIRS/meta.properties" ]; then
    set -f
    $java kafka.tools.StorageTool format --cluster-id Q29kZU1lbnRvclN0YW5kSQ --config "$properties"
fi
set -f
exec $java kafka.Kafka "$properties"
