package host

import "strings"

// ServiceColumns are the columns of the table services.
const ServiceColumns = `name:T service_type:T display_name:T status:T pid:I start_type:T win32_exit_code:I service_exit_code:I path:T
	module_path:T description:T user_account:T`

// DriverColumns are the columns of the table drivers.
const DriverColumns = `device_id:T device_name:T image:T description:T service:T service_key:T version:T inf:T class:T provider:T
	manufacturer:T driver_key:T date:B signed:I`

// serviceType is osquery's word for a kind of service.
func serviceType(t uint32) string {
	names := map[uint32]string{
		0x1: "KERNEL_DRIVER", 0x2: "FILE_SYSTEM_DRIVER", 0x10: "OWN_PROCESS", 0x20: "SHARE_PROCESS", 0x50: "USER_OWN_PROCESS",
		0x60: "USER_SHARE_PROCESS", 0xd0: "USER_OWN_PROCESS(Instance)", 0xe0: "USER_SHARE_PROCESS(Instance)", 0x100: "INTERACTIVE_PROCESS",
		0x110: "OWN_PROCESS(Interactive)", 0x120: "SHARE_PROCESS(Interactive)",
	}
	if name, ok := names[t]; ok {
		return name
	}
	return "UNKNOWN"
}

// startType is osquery's word for when a service starts.
func startType(t uint32) string {
	return nth(t, "BOOT_START", "SYSTEM_START", "AUTO_START", "DEMAND_START", "DISABLED")
}

// serviceState is osquery's word for what a service does now.
func serviceState(s uint32) string {
	return nth(s, "UNKNOWN", "STOPPED", "START_PENDING", "STOP_PENDING", "RUNNING", "CONTINUE_PENDING", "PAUSE_PENDING", "PAUSED")
}

func nth(n uint32, names ...string) string {
	if n < uint32(len(names)) { //nolint:gosec // a handful
		return names[n]
	}
	return "UNKNOWN"
}

// plain drops the reference to a resource that stands before a text of the registry: "@oem.inf,%name%;Text".
func plain(s string) string {
	if strings.HasPrefix(s, "@") {
		if _, text, ok := strings.Cut(s, ";"); ok {
			return text
		}
	}
	return s
}
