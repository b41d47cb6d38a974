{{/* The name of everything begins with that of the release. */}}
{{- define "courierflow.name" -}}
{{- if contains "courierflow" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-courierflow" (.Release.Name | trunc 28 | trimSuffix "-") -}}
{{- end -}}
{{- end }}

{{/* Labels by which pods are found. Takes a list: the root, the component. */}}
{{- define "courierflow.selector" -}}
app.kubernetes.io/name: courierflow
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* All labels; the same list. */}}
{{- define "courierflow.labels" -}}
{{ include "courierflow.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version }}
{{- end }}

{{/* The metadata of an object; the same list. */}}
{{- define "courierflow.metadata" -}}
name: {{ include "courierflow.name" (index . 0) }}-{{ index . 1 }}
namespace: {{ (index . 0).Release.Namespace }}
labels:
  {{- include "courierflow.labels" . | nindent 2 }}
{{- end }}

{{/*
The pod of a component. Takes a dict:
  root, component
  program   ingest or processor
  args      arguments of the program
  env       further variables (YAML), ports of the container beside the admin port (YAML)
  config    name of the ConfigMap
  serves    whether it has health and metrics
*/}}
{{- define "courierflow.pod" -}}
{{- $root := .root -}}
metadata:
  labels:
    {{- include "courierflow.labels" (list $root .component) | nindent 4 }}
  annotations:
    checksum/config: {{ $root.Values.config | sha256sum }}
    {{- with $root.Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with $root.Values.serviceAccountName }}
  serviceAccountName: {{ . }}
  {{- end }}
  {{- with $root.Values.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $root.Values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
  # A service needs up to 30 s for what is in flight, ingest some more until nobody sends to it.
  terminationGracePeriodSeconds: 45
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "courierflow.selector" (list $root .component) | nindent 10 }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    seccompProfile: {type: RuntimeDefault}
  {{- if not .serves }}
  restartPolicy: Never
  {{- end }}
  containers:
    - name: {{ .component }}
      image: {{ printf "%s/%s:%s" $root.Values.image.repository .program (default $root.Chart.AppVersion $root.Values.image.tag) }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: {{ toJson .args }}
      env:
        - {name: COURIERFLOW__REGISTRY__ID_CACHE, value: /var/lib/courierflow/schema-ids.json}
        {{- with .env }}
        {{- . | nindent 8 }}
        {{- end }}
        {{- with $root.Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- if .serves }}
      ports:
        - {name: admin, containerPort: 9100}
        {{- with .ports }}
        {{- . | nindent 8 }}
        {{- end }}
      livenessProbe:
        httpGet: {path: /livez, port: admin}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: /readyz, port: admin}
        periodSeconds: 5
        timeoutSeconds: 5
      {{- end }}
      resources: {{- toYaml .resources | nindent 8 }}
      securityContext:
        readOnlyRootFilesystem: true
        allowPrivilegeEscalation: false
        capabilities: {drop: [ALL]}
      volumeMounts:
        - {name: config, mountPath: /etc/courierflow, readOnly: true}
        - {name: secrets, mountPath: /run/secrets/courierflow, readOnly: true}
        - {name: work, mountPath: /var/lib/courierflow}
  volumes:
    - name: config
      configMap: {name: {{ .config }}}
    - name: secrets
      secret:
        secretName: {{ get $root.Values.secrets .program }}
        defaultMode: 0440
    # Locks of slots, and ids of schemas so that a container starts while the registry is away.
    - name: work
      emptyDir: {}
{{- end }}

{{/* Variables of all processors. The host is part of the identity of workers: in a StatefulSet it outlives the pod. */}}
{{- define "courierflow.processorEnv" -}}
- {name: COURIERFLOW__PROCESSOR__LISTEN, value: "0.0.0.0:8081"}
- {name: COURIERFLOW__PROCESSOR__ADMIN_LISTEN, value: "0.0.0.0:9100"}
- {name: COURIERFLOW__DERIVE__HOST, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: COURIERFLOW__DERIVE__SLOT_DIR, value: /var/lib/courierflow/slots}
- {name: COURIERFLOW__SUBSCRIBE__SLOT_DIR, value: /var/lib/courierflow/slots}
- {name: COURIERFLOW__RECONCILE__SLOT_DIR, value: /var/lib/courierflow/slots}
{{- end }}
