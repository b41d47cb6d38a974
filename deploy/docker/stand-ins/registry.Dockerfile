FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends openjdk-17-jre-headless && rm -rf /var/lib/apt/lists/*
COPY *.jar /deployments/
COPY lib /deployments/lib
COPY meta /deployments/meta
USER 1001
EXPOSE 8080
CMD ["sh", "-c", "exec java -jar /deployments/apicurio-registry-app-*-runner.jar"]
