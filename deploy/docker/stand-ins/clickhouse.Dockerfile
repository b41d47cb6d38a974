FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends wget && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 101 clickhouse && mkdir -p /etc/clickhouse-server/users.d /var/lib/clickhouse && chown clickhouse /var/lib/clickhouse
COPY clickhouse libchdb.so /usr/lib/clickhouse/
COPY clickhouse.sh /entrypoint.sh
COPY clickhouse-config.xml /etc/clickhouse-server/config.xml
COPY clickhouse-users.xml /etc/clickhouse-server/users.xml
USER clickhouse
VOLUME /var/lib/clickhouse
EXPOSE 8123 9000
ENTRYPOINT ["/entrypoint.sh"]
