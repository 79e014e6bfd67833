package host

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

const servicesKey = `SYSTEM\CurrentControlSet\Services\`

// maxServices bounds the list of services, in bytes.
const maxServices = 64 << 20

// Services lists services and drivers as the service manager does; one that does not answer is noted.
func Services(ctx context.Context, files Files) ([][]any, error) {
	var manager windows.Handle
	var err error
	for range 3 { // a manager that is being started may not have taken the call
		manager, err = windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT|windows.SC_MANAGER_ENUMERATE_SERVICE)
		if !errors.Is(err, windows.RPC_S_CALL_FAILED_DNE) {
			break
		}
	}
	if err != nil {
		files.Note("services", fmt.Sprintf("open the service manager: %v", err))
		return nil, nil
	}
	defer func() { _ = windows.CloseServiceHandle(manager) }() // nothing was written
	buf, n, err := enumerate(manager)
	if err != nil {
		files.Note("services", err.Error())
		return nil, nil
	}
	var out rows
	for _, s := range unsafe.Slice((*windows.ENUM_SERVICE_STATUS_PROCESS)(unsafe.Pointer(&buf[0])), n) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		row, err := serviceRow(manager, files, &s)
		if err != nil {
			files.Note("service "+windows.UTF16PtrToString(s.ServiceName), err.Error())
			continue
		}
		out = append(out, row)
	}
	return out, nil
}

func enumerate(manager windows.Handle) (buf []uint64, n uint32, err error) {
	for size := uint32(256 << 10); size <= maxServices; size *= 2 {
		buf = make([]uint64, size/8) // aligned
		var needed, resume uint32
		err = windows.EnumServicesStatusEx(manager, windows.SC_ENUM_PROCESS_INFO, windows.SERVICE_WIN32|windows.SERVICE_DRIVER, windows.SERVICE_STATE_ALL,
			(*byte)(unsafe.Pointer(&buf[0])), size, &needed, &n, &resume, nil)
		if !errors.Is(err, windows.ERROR_MORE_DATA) {
			break
		}
	}
	if err != nil {
		return nil, 0, fmt.Errorf("list services: %w", err)
	}
	return buf, n, nil
}

func serviceRow(manager windows.Handle, files Files, s *windows.ENUM_SERVICE_STATUS_PROCESS) ([]any, error) {
	h, err := windows.OpenService(manager, s.ServiceName, windows.SERVICE_QUERY_CONFIG)
	if err != nil {
		return nil, fmt.Errorf("open it: %w", err)
	}
	defer func() { _ = windows.CloseServiceHandle(h) }() // nothing was written
	buf := make([]uint64, 8192/8)                        // what Windows allows
	config := (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&buf[0]))
	var needed uint32
	if err := windows.QueryServiceConfig(h, config, uint32(len(buf)*8), &needed); err != nil {
		return nil, fmt.Errorf("ask for its program: %w", err)
	}
	name, st := windows.UTF16PtrToString(s.ServiceName), &s.ServiceStatusProcess
	params := openKey(files, registry.LOCAL_MACHINE, servicesKey+name+`\Parameters`)
	defer params.close()
	return []any{
		name, serviceType(config.ServiceType), windows.UTF16PtrToString(s.DisplayName), serviceState(st.CurrentState), int64(st.ProcessId), startType(config.StartType),
		int64(int32(st.Win32ExitCode)), int64(int32(st.ServiceSpecificExitCode)), windows.UTF16PtrToString(config.BinaryPathName), //nolint:gosec // as osquery writes them
		Expand(params.text("ServiceDll"), Environment()), description(h), windows.UTF16PtrToString(config.ServiceStartName),
	}, nil
}

func description(h windows.Handle) string {
	buf := make([]uint64, 8192/8) // what Windows allows
	var needed uint32
	if err := windows.QueryServiceConfig2(h, windows.SERVICE_CONFIG_DESCRIPTION, (*byte)(unsafe.Pointer(&buf[0])), uint32(len(buf)*8), &needed); err != nil {
		return "" // many have none
	}
	return windows.UTF16PtrToString((*windows.SERVICE_DESCRIPTION)(unsafe.Pointer(&buf[0])).Description)
}

// Drivers lists the devices that the registry knows with their drivers.
func Drivers(ctx context.Context, files Files) ([][]any, error) {
	const enum = `SYSTEM\CurrentControlSet\Enum`
	var out rows
	top := openKey(files, registry.LOCAL_MACHINE, enum)
	defer top.close()
	for _, bus := range top.keys() {
		devices := openKey(files, registry.LOCAL_MACHINE, enum+`\`+bus)
		for _, device := range devices.keys() {
			if err := ctx.Err(); err != nil {
				devices.close()
				return nil, err
			}
			instances := openKey(files, registry.LOCAL_MACHINE, enum+`\`+bus+`\`+device)
			for _, instance := range instances.keys() {
				id := bus + `\` + device + `\` + instance
				k := openKey(files, registry.LOCAL_MACHINE, enum+`\`+id)
				out = append(out, driverRow(files, id, k))
				k.close()
			}
			instances.close()
		}
		devices.close()
	}
	return out, nil
}

func driverRow(files Files, id string, device *key) []any {
	service, serviceKey, image := device.text("Service"), "", ""
	if service != "" {
		k := openKey(files, registry.LOCAL_MACHINE, servicesKey+service)
		if k != nil {
			serviceKey, image = k.path, Image(k.text("ImagePath"), windowsFolder(), Environment())
		}
		k.close()
	}
	driver := device.text("Driver")
	var class *key
	if driver != "" {
		class = openKey(files, registry.LOCAL_MACHINE, `SYSTEM\CurrentControlSet\Control\Class\`+driver)
		defer class.close()
	}
	classPath, date := "", int64(0)
	if class != nil {
		classPath = class.path
		if b := class.bytes("DriverDateData"); len(b) >= 8 {
			date = timeOf(windows.Filetime{LowDateTime: le32(b), HighDateTime: le32(b[4:])}).Unix()
		}
	}
	name := plain(device.text("FriendlyName"))
	if name == "" {
		name = plain(device.text("DeviceDesc"))
	}
	return []any{
		id, name, image, plain(device.text("DeviceDesc")), service, serviceKey, class.text("DriverVersion"), class.text("InfPath"),
		strings.ToUpper(device.text("Class")), class.text("ProviderName"), plain(device.text("Mfg")), classPath, date, int64(-1),
	}
}
