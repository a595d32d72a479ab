#!/bin/sh
# The users of the broker from its environment, then the broker. Passwords are on no command line: those of a
# container are seen by everybody on its machine.
set -eu
umask 077
printf 'gridwatch:%s\ndevices:%s\n' "$MQTT_PASSWORD" "$MQTT_DEVICES_PASSWORD" >/tmp/passwords
mosquitto_passwd -U /tmp/passwords
# The options of mosquitto_sub, which is the health check.
printf -- '-u gridwatch\n-P %s\n' "$MQTT_PASSWORD" >/tmp/mosquitto_sub
unset MQTT_PASSWORD MQTT_DEVICES_PASSWORD
exec mosquitto -c /mosquitto/config/mosquitto.conf
