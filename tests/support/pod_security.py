"""Kubernetes' Pod Security Standard "restricted", on the fields of a pod: what a namespace that enforces it refuses.

As https://kubernetes.io/docs/concepts/security/pod-security-standards/ lists them, baseline and restricted.
"""

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
SECCOMP = {"RuntimeDefault", "Localhost"}
CAPABILITIES = {"NET_BIND_SERVICE"}
SELINUX_TYPES = {None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
SYSCTLS = {"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
           "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
           "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
           "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"}
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def containers_of(pod):
    return [container for kind in ("initContainers", "containers", "ephemeralContainers")
            for container in pod.get(kind, ())]


def violations(pod):
    """Sentences, none if the pod is admitted."""
    security = pod.get("securityContext", {})
    found = [f"the pod has {field}" for field in ("hostNetwork", "hostPID", "hostIPC") if pod.get(field)]
    for volume in pod.get("volumes", ()):
        kinds = set(volume) - {"name"}
        if not kinds <= VOLUMES:
            found.append(f"volume {volume['name']} is a {'/'.join(kinds)}")
    found += [f"sysctl {each['name']}" for each in security.get("sysctls", ()) if each["name"] not in SYSCTLS]
    found += [f"the pod: {what}" for what in _of_any(security)]
    for container in containers_of(pod):
        found += [f"container {container['name']}: {what}" for what in _of_container(container, security)]
    return found


def _of_any(security):
    """What both a pod's and a container's security context may not say."""
    if security.get("windowsOptions", {}).get("hostProcess"):
        yield "hostProcess"
    selinux = security.get("seLinuxOptions", {})
    if selinux.get("type") not in SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
        yield "seLinuxOptions"
    if security.get("appArmorProfile", {}).get("type", "RuntimeDefault") not in SECCOMP:
        yield "appArmorProfile"
    if security.get("seccompProfile", {}).get("type", "RuntimeDefault") not in SECCOMP:
        yield "seccompProfile"
    if security.get("runAsNonRoot") is False:
        yield "runAsNonRoot is false"
    if security.get("runAsUser") == 0:
        yield "runs as root"


def _of_container(container, pod_security):
    own = container.get("securityContext", {})
    yield from _of_any(own)
    if own.get("privileged"):
        yield "privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation"
    if own.get("procMount", "Default") != "Default":
        yield "procMount"
    capabilities = own.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", ()):
        yield "capabilities are not dropped"
    if not set(capabilities.get("add", ())) <= CAPABILITIES:
        yield "capabilities are added"
    if not own.get("runAsNonRoot", pod_security.get("runAsNonRoot")):
        yield "runAsNonRoot is not set"
    if not own.get("seccompProfile", pod_security.get("seccompProfile")):
        yield "seccompProfile is not set"
    if any(port.get("hostPort") for port in container.get("ports", ())):
        yield "hostPort"
    handlers = [container[name] for name in PROBES if name in container] + list(container.get("lifecycle", {}).values())
    if any(handler.get(kind, {}).get("host") for handler in handlers for kind in ("httpGet", "tcpSocket")):
        yield "a probe names a host"
