//go:build sqlite_vtable

package embedded

// columnsOfOsquery lists the tables with their columns as osquery 5.23 has them on Windows: T text, I integer, B big integer, a
// trailing ! for those that * leaves out.
func columnsOfOsquery() map[string]string {
	return map[string]string{
		"file": "path:T directory:T filename:T inode:B uid:B gid:B mode:T device:B size:B block_size:I atime:B mtime:B ctime:B btime:B hard_links:I symlink:I " +
			"type:T symlink_target_path:T attributes:T volume_serial:T file_id:T file_version:T product_version:T original_filename:T shortcut_target_path:T " +
			"shortcut_target_type:T shortcut_target_location:T shortcut_start_in:T shortcut_run:T shortcut_comment:T",
		"hash": "path:T directory:T md5:T sha1:T sha256:T",
		"processes": "pid:B name:T path:T cmdline:T state:T cwd:T root:T uid:B gid:B euid:B egid:B suid:B sgid:B on_disk:I wired_size:B resident_size:B total_size:B " +
			"user_time:B system_time:B disk_bytes_read:B disk_bytes_written:B start_time:B parent:B pgroup:B threads:I nice:I elevated_token:I secure_process:I " +
			"protection_type:T virtual_process:I elapsed_time:B handle_count:B percent_processor_time:B",
		"startup_items": "name:T path:T args:T type:T source:T status:T username:T",
		"services": "name:T service_type:T display_name:T status:T pid:I start_type:T win32_exit_code:I service_exit_code:I path:T module_path:T description:T " +
			"user_account:T",
		"drivers":         "device_id:T device_name:T image:T description:T service:T service_key:T version:T inf:T class:T provider:T manufacturer:T driver_key:T date:B signed:I",
		"scheduled_tasks": "name:T action:T path:T enabled:I state:T hidden:I last_run_time:B next_run_time:B last_run_message:T last_run_code:T",
		"users":           "uid:B gid:B uid_signed:B gid_signed:B username:T description:T directory:T shell:T uuid:T type:T",
		"os_version":      "name:T version:T major:I minor:I patch:I build:T platform:T platform_like:T codename:T arch:T install_date:B revision:I",
		"system_info": "hostname:T uuid:T cpu_type:T cpu_subtype:T cpu_brand:T cpu_physical_cores:I cpu_logical_cores:I cpu_sockets:I cpu_microcode:T " +
			"physical_memory:B hardware_vendor:T hardware_model:T hardware_version:T hardware_serial:T board_vendor:T board_model:T board_version:T " +
			"board_serial:T computer_name:T local_hostname:T emulated_cpu_type:T",
		"osquery_info":   "pid:I uuid:T instance_id:T version:T config_hash:T config_valid:I extensions:T build_platform:T build_distro:T start_time:I watcher:I platform_mask:I",
		"logical_drives": "device_id:T type:T description:T free_space:B size:B file_system:T boot_partition:I",
		"time":           "weekday:T year:I month:I day:I hour:I minutes:I seconds:I timezone:T local_timezone:T unix_time:I timestamp:T datetime:T iso_8601:T win_timestamp:B",
		"uptime":         "days:I hours:I minutes:I seconds:I total_seconds:B",
	}
}

// anyFile is a file of every machine.
func anyFile() string { return `C:\Windows\System32\svchost.exe` }
