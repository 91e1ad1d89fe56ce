/* The exports of cfgmgr32.dll. */
#include "query.h"

#include <string.h>

#define FLAGS_SYNCHRONOUS (DevQueryFlagAllProperties | DevQueryFlagLocalize)
#define FLAGS_ALL (FLAGS_SYNCHRONOUS | DevQueryFlagUpdateResults | DevQueryFlagAsyncClose)

static bool is_operator(uint32_t value)
{
    value &= ~(uint32_t)DEVPROP_OPERATOR_MODIFIER_NOT;
    return value == DEVPROP_OPERATOR_EXISTS || value == DEVPROP_OPERATOR_EQUALS;
}

/* Whether the request meets the documented conditions. As filters, the simulator supports a list of
 * (not) EXISTS and (not) EQUALS, all of which must be true. */
static bool is_valid(const struct request *request, uint32_t flags_allowed)
{
    bool is_all = (request->flags & DevQueryFlagAllProperties) != 0;
    if ((request->flags & ~flags_allowed) != 0 || (is_all && request->key_count > 0))
        return false;
    if ((request->key_count == 0) != (request->keys == NULL) ||
        (request->filter_count == 0) != (request->filters == NULL))
        return false;
    for (uint32_t i = 0; i < request->key_count; i++) {
        if (request->keys[i].LocaleName != NULL)
            return false;
    }
    for (uint32_t i = 0; i < request->filter_count; i++) {
        const DEVPROPERTY *property = &request->filters[i].Property;
        if (!is_operator(request->filters[i].Operator) || (property->BufferSize > 0 && property->Buffer == NULL))
            return false;
        /* Windows 11 refuses a size that does not fit the type. */
        if (property->Type == DEVPROP_TYPE_EMPTY && property->BufferSize > 0)
            return false;
    }
    return true;
}

/* Whether the request points to freed data, which is then counted as misuse. Called before the
 * request is read, with the lock held. */
static bool is_freed(const struct request *request, uint32_t function)
{
    bool is_any = data_is_freed(request->keys, function) || data_is_freed(request->filters, function);
    for (uint32_t i = 0; i < request->filter_count && !is_any; i++)
        is_any = data_is_freed(request->filters[i].Property.Buffer, function);
    return is_any;
}

HRESULT WINAPI DevCreateObjectQuery(uint32_t ObjectType, ULONG QueryFlags, ULONG cRequestedProperties,
                                    const DEVPROPCOMPKEY *pRequestedProperties, ULONG cFilterExpressionCount,
                                    const DEVPROP_FILTER_EXPRESSION *pFilter, PDEV_QUERY_RESULT_CALLBACK pCallback,
                                    PVOID pContext, HDEVQUERY *phDevQuery)
{
    struct request request = {ObjectType,           QueryFlags, cRequestedProperties, cFilterExpressionCount,
                              pRequestedProperties, pFilter};
    if (pCallback == NULL || phDevQuery == NULL)
        return E_INVALIDARG;
    world_enter();
    HRESULT result = E_INVALIDARG;
    *phDevQuery = NULL;
    if (!is_freed(&request, SIM_FUNCTION_DEV_CREATE_OBJECT_QUERY) && is_valid(&request, FLAGS_ALL)) {
        result = (HRESULT)script_call(SIM_FUNCTION_DEV_CREATE_OBJECT_QUERY);
        if (result == S_OK && !query_create(&request, pCallback, pContext, phDevQuery))
            result = E_OUTOFMEMORY;
    }
    world_leave();
    return result;
}

void WINAPI DevCloseObjectQuery(HDEVQUERY hDevQuery)
{
    world_enter();
    script_call(SIM_FUNCTION_DEV_CLOSE_OBJECT_QUERY);
    struct query *query = handle_use(hDevQuery, HANDLE_QUERY, SIM_FUNCTION_DEV_CLOSE_OBJECT_QUERY, true);
    if (query != NULL)
        query_close(query);
    world_leave();
}

static HRESULT get_objects(const struct request *request, ULONG *result_count, const DEV_OBJECT **result)
{
    uint32_t per_object = property_count(request), count = 0, first, end;
    size_t properties_size = per_object * sizeof(DEVPROPERTY), values_size = sizeof(struct object_values);
    DEVPROPERTY *scratch = data_allocate(DATA_CALLBACK, properties_size + values_size, 0);
    DEV_OBJECT object;
    if (scratch == NULL)
        return E_OUTOFMEMORY;
    property_range(request, &first, &end);
    for (uint32_t slot = first; slot < end; slot++)
        count += property_object(request, slot, &object, scratch, (struct object_values *)(scratch + per_object));
    data_free(scratch, DATA_CALLBACK, 0, SIM_FUNCTION_ANY);
    if (count == 0)
        return S_OK;
    /* One block: the objects, then their properties, then the values of the properties. */
    DEV_OBJECT *objects =
        data_allocate(DATA_OBJECTS, count * (sizeof(DEV_OBJECT) + properties_size + values_size), count);
    if (objects == NULL)
        return E_OUTOFMEMORY;
    DEVPROPERTY *properties = (DEVPROPERTY *)(objects + count);
    struct object_values *values = (struct object_values *)(properties + (size_t)count * per_object);
    for (uint32_t slot = first, i = 0; slot < end && i < count; slot++)
        i += property_object(request, slot, &objects[i], properties + (size_t)i * per_object, &values[i]);
    *result_count = count;
    *result = objects;
    return S_OK;
}

HRESULT WINAPI DevGetObjects(uint32_t ObjectType, ULONG QueryFlags, ULONG cRequestedProperties,
                             const DEVPROPCOMPKEY *pRequestedProperties, ULONG cFilterExpressionCount,
                             const DEVPROP_FILTER_EXPRESSION *pFilter, ULONG *pcObjectCount,
                             const DEV_OBJECT **ppObjects)
{
    struct request request = {ObjectType,           QueryFlags, cRequestedProperties, cFilterExpressionCount,
                              pRequestedProperties, pFilter};
    if (pcObjectCount == NULL || ppObjects == NULL)
        return E_INVALIDARG;
    world_enter();
    HRESULT result = E_INVALIDARG;
    *pcObjectCount = 0;
    *ppObjects = NULL;
    if (!is_freed(&request, SIM_FUNCTION_DEV_GET_OBJECTS) && is_valid(&request, FLAGS_SYNCHRONOUS)) {
        result = (HRESULT)script_call(SIM_FUNCTION_DEV_GET_OBJECTS);
        if (result == S_OK)
            result = get_objects(&request, pcObjectCount, ppObjects);
    }
    world_leave();
    return result;
}

void WINAPI DevFreeObjects(ULONG cObjectCount, const DEV_OBJECT *pObjects)
{
    if (pObjects == NULL)
        return;
    world_enter();
    data_free(pObjects, DATA_OBJECTS, cObjectCount, SIM_FUNCTION_DEV_FREE_OBJECTS);
    world_leave();
}

static bool is_same_text(const WCHAR *a, const WCHAR *b)
{
    for (; *a == *b && *a != 0; a++)
        b++;
    return *a == *b;
}

static HRESULT get_properties(const struct request *request, const WCHAR *id, ULONG *result_count,
                              const DEVPROPERTY **result)
{
    uint32_t per_object = property_count(request), first, end;
    DEV_OBJECT object;
    /* One block: the properties, then their values. */
    DEVPROPERTY *properties =
        data_allocate(DATA_PROPERTIES, per_object * sizeof(DEVPROPERTY) + sizeof(struct object_values), 0);
    if (properties == NULL)
        return E_OUTOFMEMORY;
    struct object_values *values = (struct object_values *)(properties + per_object);
    property_range_of_id(id, &first, &end);
    for (uint32_t slot = first; slot < end; slot++) {
        if (!property_object(request, slot, &object, properties, values) || !is_same_text(values->id, id))
            continue;
        data_set_count(properties, object.cPropertyCount);
        *result_count = object.cPropertyCount;
        *result = properties;
        return S_OK;
    }
    data_free(properties, DATA_PROPERTIES, 0, SIM_FUNCTION_ANY);
    return E_ELEMENT_NOT_FOUND;
}

HRESULT WINAPI DevGetObjectProperties(uint32_t ObjectType, const WCHAR *pszObjectId, ULONG QueryFlags,
                                      ULONG cRequestedProperties, const DEVPROPCOMPKEY *pRequestedProperties,
                                      ULONG *pcPropertyCount, const DEVPROPERTY **ppProperties)
{
    struct request request = {ObjectType, QueryFlags, cRequestedProperties, 0, pRequestedProperties, NULL};
    if (pszObjectId == NULL || pcPropertyCount == NULL || ppProperties == NULL)
        return E_INVALIDARG;
    world_enter();
    HRESULT result = E_INVALIDARG;
    *pcPropertyCount = 0;
    *ppProperties = NULL;
    bool is_readable = !is_freed(&request, SIM_FUNCTION_DEV_GET_OBJECT_PROPERTIES) &&
                       !data_is_freed(pszObjectId, SIM_FUNCTION_DEV_GET_OBJECT_PROPERTIES);
    if (is_readable && is_valid(&request, FLAGS_SYNCHRONOUS)) {
        result = (HRESULT)script_call(SIM_FUNCTION_DEV_GET_OBJECT_PROPERTIES);
        if (result == S_OK)
            result = get_properties(&request, pszObjectId, pcPropertyCount, ppProperties);
    }
    world_leave();
    return result;
}

void WINAPI DevFreeObjectProperties(ULONG cPropertyCount, const DEVPROPERTY *pProperties)
{
    if (pProperties == NULL)
        return;
    world_enter();
    data_free(pProperties, DATA_PROPERTIES, cPropertyCount, SIM_FUNCTION_DEV_FREE_OBJECT_PROPERTIES);
    world_leave();
}

const DEVPROPERTY *WINAPI DevFindProperty(const DEVPROPKEY *pKey, DEVPROPSTORE Store, const WCHAR *pszLocaleName,
                                          ULONG cProperties, const DEVPROPERTY *pProperties)
{
    world_enter();
    bool is_unusable = data_is_freed(pProperties, SIM_FUNCTION_DEV_FIND_PROPERTY);
    world_leave();
    for (ULONG i = 0; pKey != NULL && pszLocaleName == NULL && !is_unusable && i < cProperties; i++) {
        if (pProperties[i].CompKey.Store == Store && property_key_equals(&pProperties[i].CompKey.Key, pKey))
            return &pProperties[i];
    }
    return NULL;
}
