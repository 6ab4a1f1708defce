-- One port on two addresses is two ports.
DROP INDEX ports_active;
CREATE UNIQUE INDEX ports_active ON ports (port, protocol, host_ip) WHERE active = 1;
