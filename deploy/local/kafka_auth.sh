# shellcheck shell=bash disable=SC2154 # the variables of settings.sh and ./dev
# The ways to authenticate at Kafka that CI neither builds nor runs: tokens of OpenID Connect, of Amazon MSK, and Kerberos. Sourced by ./dev,
# after the other scripts.

# Lints the code behind the features, and lets the services that have them go through a broker that asks for each.
kafka_auth() {
  local features=courierflow-tests/oidc,courierflow-tests/kerberos,courierflow-tests/msk-iam
  need_build
  need_system_packages "authentication at Kafka" lib:libcurl4-openssl-dev lib:libsasl2-dev lib:libsasl2-modules-gssapi-mit \
    lib:krb5-kdc lib:krb5-admin-server lib:krb5-user javac:openjdk-17-jdk-headless
  need_stack
  build_dashboard
  step "lints" cargo clippy --workspace --all-targets --features "$features" --locked -- -D warnings
  step "build" cargo build --workspace --bins --locked --features "$features"
  step "tests of the clients" cargo test --quiet --locked -p courierflow-service --features oidc,kerberos,msk-iam --lib
  sweep_at_the_end
  # Debian has the programs of the key distribution centre where only root looks.
  PATH=$PATH:/usr/sbin COURIERFLOW_BIN_DIR=$(realpath "$target/debug") \
    cargo test --quiet --locked --workspace --features "$features" --test it -- --ignored --nocapture kafka_auth::
}
