#!/bin/bash
# Makes the secrets of compose.yaml, each once: who replaces one by hand keeps it. Runs in a container, with the volumes /secrets and /users.d.
set -euo pipefail
umask 077

# The user of our images (deploy/docker/root.sh), and that of ClickHouse's.
services=10001 clickhouse=101

secret() { # NAME
  [[ -s /secrets/$1 ]] || od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"/secrets/$1"
}

digest() { # NAME
  tr -d '\n' <"/secrets/$1" | sha256sum | cut -d ' ' -f 1
}

secret id.key
secret clickhouse.password
secret dashboard.password
chown "$services" /secrets /secrets/*

# `default` can be used inside of the container only (docker compose exec clickhouse clickhouse-client).
cat >/users.d/courierflow.xml <<XML
<clickhouse>
    <users>
        <default>
            <networks replace="replace"><ip>127.0.0.1</ip><ip>::1</ip></networks>
        </default>
        <!-- migrate and sink. -->
        <courierflow>
            <password_sha256_hex>$(digest clickhouse.password)</password_sha256_hex>
            <networks><ip>::/0</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
            <access_management>1</access_management>
        </courierflow>
        <!-- As whom views run; nobody logs in. -->
        <courier_views>
            <no_password/>
            <networks/>
            <profile>default</profile>
            <quota>default</quota>
            <grants>
                <query>GRANT SELECT, INSERT, CREATE TABLE, DROP TABLE ON courier.*</query>
                <query>GRANT TABLE ENGINE ON MergeTree</query>
            </grants>
        </courier_views>
        <dashboard>
            <password_sha256_hex>$(digest dashboard.password)</password_sha256_hex>
            <networks><ip>::/0</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
            <grants><query>GRANT SELECT ON courier.*</query></grants>
        </dashboard>
    </users>
</clickhouse>
XML
chown "$clickhouse" /users.d /users.d/courierflow.xml
