//! What nobody may lay over the confinement of pods: it is the restricted Pod Security Standard
//! (<https://kubernetes.io/docs/concepts/security/pod-security-standards/>), whoever may make instances but no pods.

/// No container has privileges, or can gain them.
pub(super) const POWERLESS: &str = "!has(self.container) || ((!has(self.container.privileged) || !self.container.privileged) && (!has(self.container.allowPrivilegeEscalation) || !self.container.allowPrivilegeEscalation) && !has(self.container.procMount) && (!has(self.container.capabilities) || (!has(self.container.capabilities.add) && (!has(self.container.capabilities.drop) || 'ALL' in self.container.capabilities.drop))))";

/// What the kernel holds against a container stays on.
pub(super) const CONFINED: &str = "(!has(self.pod) || (!has(self.pod.sysctls) && (!has(self.pod.seccompProfile) || self.pod.seccompProfile.type != 'Unconfined') && (!has(self.pod.appArmorProfile) || self.pod.appArmorProfile.type != 'Unconfined') && (!has(self.pod.seLinuxOptions) || (!has(self.pod.seLinuxOptions.user) && !has(self.pod.seLinuxOptions.role) && (!has(self.pod.seLinuxOptions.type) || self.pod.seLinuxOptions.type in ['container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']))))) && (!has(self.container) || ((!has(self.container.seccompProfile) || self.container.seccompProfile.type != 'Unconfined') && (!has(self.container.appArmorProfile) || self.container.appArmorProfile.type != 'Unconfined') && (!has(self.container.seLinuxOptions) || (!has(self.container.seLinuxOptions.user) && !has(self.container.seLinuxOptions.role) && (!has(self.container.seLinuxOptions.type) || self.container.seLinuxOptions.type in ['container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'])))))";

/// Nothing runs as root.
pub(super) const NOT_ROOT: &str = "(!has(self.pod) || ((!has(self.pod.runAsUser) || self.pod.runAsUser > 0) && (!has(self.pod.runAsNonRoot) || self.pod.runAsNonRoot))) && (!has(self.container) || ((!has(self.container.runAsUser) || self.container.runAsUser > 0) && (!has(self.container.runAsNonRoot) || self.container.runAsNonRoot)))";
