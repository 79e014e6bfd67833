// The calls between osqueryd and its extensions, as hunter needs them.
// Written for the stand-in from the published wire tables: field numbers, types
// and method names are osquery's protocol and must not change.
namespace go osquery

typedef map<string, string> ExtensionPluginRequest
typedef list<map<string, string>> ExtensionPluginResponse

// One flag of the daemon.
struct InternalOptionInfo {
  1: string value
  2: string default_value
  3: string type
}

typedef map<string, InternalOptionInfo> InternalOptionList

// What an extension says of itself when it registers.
struct InternalExtensionInfo {
  1: string name
  2: string version
  3: string sdk_version
  4: string min_sdk_version
}

typedef i64 ExtensionRouteUUID
typedef map<string, ExtensionPluginResponse> ExtensionRouteTable
typedef map<string, ExtensionRouteTable> ExtensionRegistry
typedef map<ExtensionRouteUUID, InternalExtensionInfo> InternalExtensionList

enum ExtensionCode {
  EXT_SUCCESS = 0
  EXT_FAILED = 1
  EXT_FATAL = 2
}

// The outcome of a call; code is an ExtensionCode.
struct ExtensionStatus {
  1: i32 code
  2: string message
  3: ExtensionRouteUUID uuid
}

struct ExtensionResponse {
  1: ExtensionStatus status
  2: ExtensionPluginResponse response
}

// Part of the protocol, but no method throws it.
exception ExtensionException {
  1: i32 code
  2: string message
  3: ExtensionRouteUUID uuid
}

// Answered by an extension, and by osqueryd for its own registry.
service Extension {
  ExtensionStatus ping()
  ExtensionResponse call(
    1: string registry
    2: string item
    3: ExtensionPluginRequest request)
  void shutdown()
}

// Answered by osqueryd.
service ExtensionManager extends Extension {
  InternalExtensionList extensions()
  InternalOptionList options()
  ExtensionStatus registerExtension(
    1: InternalExtensionInfo info
    2: ExtensionRegistry registry)
  ExtensionStatus deregisterExtension(1: ExtensionRouteUUID uuid)
  ExtensionResponse query(1: string sql)
  ExtensionResponse getQueryColumns(1: string sql)
}
