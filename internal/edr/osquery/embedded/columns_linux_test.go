//go:build sqlite_vtable

package embedded

// columnsOfOsquery lists the tables with their columns as osquery 5.23 has them on Linux: T text, I integer, B big
// integer, a trailing ! for those that * leaves out.
func columnsOfOsquery() map[string]string {
	return map[string]string{
		"file": "path:T directory:T filename:T inode:B uid:B gid:B mode:T device:B size:B block_size:I atime:B mtime:B ctime:B btime:B hard_links:I symlink:I " +
			"type:T symlink_target_path:T pid_with_namespace:I! mount_namespace_id:T!",
		"hash": "path:T directory:T md5:T sha1:T sha256:T pid_with_namespace:I! mount_namespace_id:T!",
		"processes": "pid:B name:T path:T cmdline:T state:T cwd:T root:T uid:B gid:B euid:B egid:B suid:B sgid:B on_disk:I wired_size:B resident_size:B total_size:B " +
			"user_time:B system_time:B disk_bytes_read:B disk_bytes_written:B start_time:B parent:B pgroup:B threads:I nice:I cgroup_path:T",
		"startup_items": "name:T path:T args:T type:T source:T status:T username:T",
		"crontab":       "event:T minute:T hour:T day_of_month:T month:T day_of_week:T command:T path:T pid_with_namespace:I!",
		"users":         "uid:B gid:B uid_signed:B gid_signed:B username:T description:T directory:T shell:T uuid:T pid_with_namespace:I! include_remote:I!",
		"os_version": "name:T version:T major:I minor:I patch:I build:T platform:T platform_like:T codename:T arch:T pid_with_namespace:I! " +
			"mount_namespace_id:T!",
		"system_info": "hostname:T uuid:T cpu_type:T cpu_subtype:T cpu_brand:T cpu_physical_cores:I cpu_logical_cores:I cpu_sockets:I cpu_microcode:T " +
			"physical_memory:B hardware_vendor:T hardware_model:T hardware_version:T hardware_serial:T board_vendor:T board_model:T board_version:T " +
			"board_serial:T computer_name:T local_hostname:T",
		"osquery_info": "pid:I uuid:T instance_id:T version:T config_hash:T config_valid:I extensions:T build_platform:T build_distro:T start_time:I watcher:I platform_mask:I",
		"mounts":       "device:T device_alias:T path:T type:T blocks_size:B blocks:B blocks_free:B blocks_available:B inodes:B inodes_free:B flags:T",
		"time":         "weekday:T year:I month:I day:I hour:I minutes:I seconds:I timezone:T local_timezone:T unix_time:I timestamp:T datetime:T iso_8601:T",
		"uptime":       "days:I hours:I minutes:I seconds:I total_seconds:B",
	}
}

// anyFile is a file of every machine.
func anyFile() string { return "/etc/passwd" }
