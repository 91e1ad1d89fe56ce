/*
 * The types of devpropdef.h, devfiltertypes.h and devquerydef.h that mingw-w64's headers lack,
 * retyped from Microsoft's pages (learn.microsoft.com/windows/win32/api/devquerydef), to be
 * included after devpropdef.h.
 */
typedef enum _DEVPROPSTORE { DEVPROP_STORE_SYSTEM, DEVPROP_STORE_USER } DEVPROPSTORE;

typedef struct _DEVPROPCOMPKEY {
    DEVPROPKEY Key;
    DEVPROPSTORE Store;
    PCWSTR LocaleName;
} DEVPROPCOMPKEY;

typedef struct _DEVPROPERTY {
    DEVPROPCOMPKEY CompKey;
    DEVPROPTYPE Type;
    ULONG BufferSize;
    PVOID Buffer;
} DEVPROPERTY;

typedef enum _DEVPROP_OPERATOR { DEVPROP_OPERATOR_NONE, DEVPROP_OPERATOR_EXISTS, DEVPROP_OPERATOR_EQUALS } DEVPROP_OPERATOR;

typedef struct _DEVPROP_FILTER_EXPRESSION {
    DEVPROP_OPERATOR Operator;
    DEVPROPERTY Property;
} DEVPROP_FILTER_EXPRESSION;

typedef enum _DEV_OBJECT_TYPE { DevObjectTypeUnknown } DEV_OBJECT_TYPE;
typedef enum _DEV_QUERY_STATE { DevQueryStateInitialized } DEV_QUERY_STATE;
typedef enum _DEV_QUERY_RESULT_ACTION { DevQueryResultStateChange } DEV_QUERY_RESULT_ACTION;

typedef struct _DEV_OBJECT {
    DEV_OBJECT_TYPE ObjectType;
    PCWSTR pszObjectId;
    ULONG cPropertyCount;
    const DEVPROPERTY *pProperties;
} DEV_OBJECT;

typedef struct _DEV_QUERY_RESULT_ACTION_DATA {
    DEV_QUERY_RESULT_ACTION Action;
    union _DEV_QUERY_RESULT_UPDATE_PAYLOAD {
        DEV_QUERY_STATE State;
        DEV_OBJECT DeviceObject;
    } Data;
} DEV_QUERY_RESULT_ACTION_DATA;
