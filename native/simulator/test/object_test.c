#include "check.h"

#include <string.h>

static const GUID wifi_direct = {0x1506935D, 0xE3E7, 0x450F, {0x86, 0x37, 0x82, 0x23, 0x3E, 0xBE, 0x5F, 0x6E}};
static const GUID name_set = {0xB725F130, 0x47EF, 0x101A, {0xA5, 0xF1, 0x02, 0x60, 0x8C, 0x9E, 0xEB, 0xAC}};
static const GUID interface_set = {0x026E516E, 0xB814, 0x414B, {0x83, 0xCD, 0x85, 0x6D, 0x6F, 0xEF, 0x48, 0x22}};
static const GUID class_guid = {0x439B20AF, 0x8955, 0x405B, {0x99, 0xF0, 0xA6, 0x2A, 0xF0, 0xC6, 0x8D, 0x43}};

static DEVPROPCOMPKEY key(GUID set, ULONG pid)
{
    return (DEVPROPCOMPKEY){.Key = {set, pid}};
}

static void every_paired_device_is_an_object_with_its_properties(void)
{
    DEVPROPCOMPKEY keys[] = {key(wifi_direct, 1), key(name_set, 10),   key(wifi_direct, 5),    key(wifi_direct, 6),
                             key(wifi_direct, 7), key(wifi_direct, 3), key(wifi_direct, 0x1C), key(wifi_direct, 99)};
    ULONG count = 0;
    const DEV_OBJECT *objects;
    CHECK(DevGetObjects(DevObjectTypeDevice, 0, SIM_ARRAY_LENGTH(keys), keys, 0, NULL, &count, &objects) == S_OK);
    CHECK(count == 6 && objects[0].ObjectType == DevObjectTypeDevice &&
          objects[0].cPropertyCount == SIM_ARRAY_LENGTH(keys));
    CHECK(objects[0].pszObjectId[0] == 'S' && objects[0].pszObjectId[15] == '0');
    const DEVPROPERTY *first = objects[0].pProperties, *third = objects[2].pProperties;
    CHECK(first[0].Type == DEVPROP_TYPE_BINARY && first[0].BufferSize == 6 && memcmp(first[0].Buffer, display, 6) == 0);
    CHECK(first[1].Type == DEVPROP_TYPE_STRING && first[1].BufferSize == 42 && ((WCHAR *)first[1].Buffer)[0] == 'M');
    CHECK(first[2].Type == DEVPROP_TYPE_EMPTY); /* never connected */
    CHECK(first[3].Type == DEVPROP_TYPE_BOOLEAN && *(DEVPROP_BOOLEAN *)first[3].Buffer == DEVPROP_TRUE);
    CHECK(first[4].Type == DEVPROP_TYPE_BOOLEAN && *(DEVPROP_BOOLEAN *)first[4].Buffer == DEVPROP_FALSE);
    CHECK(first[5].Type == DEVPROP_TYPE_EMPTY && first[7].Type == DEVPROP_TYPE_EMPTY);
    CHECK(first[6].Type == DEVPROP_TYPE_UINT32 && *(uint32_t *)first[6].Buffer == 92);
    CHECK(third[3].Type == DEVPROP_TYPE_EMPTY && *(DEVPROP_BOOLEAN *)third[4].Buffer == DEVPROP_TRUE);
    const DEVPROPERTY *found = DevFindProperty(&keys[6].Key, 0, NULL, objects[0].cPropertyCount, first);
    CHECK(found == &first[6] && DevFindProperty(&keys[6].Key, 1, NULL, objects[0].cPropertyCount, first) == NULL);
    DevFreeObjects(count, objects);
}

static void connected_devices_have_the_properties_of_their_link(void)
{
    DEVPROPCOMPKEY keys[] = {key(wifi_direct, 5), key(wifi_direct, 3), key(wifi_direct, 2)};
    DEVPROP_FILTER_EXPRESSION filter = {DEVPROP_OPERATOR_EQUALS,
                                        {key(wifi_direct, 1), DEVPROP_TYPE_BINARY, 6, display}};
    struct outcome outcome = {0};
    ULONG count;
    const DEV_OBJECT *objects;
    HANDLE client = open_client(), session = open_session(client, &display, &outcome);
    CHECK(DevGetObjects(DevObjectTypeDevice, 0, 3, keys, 1, &filter, &count, &objects) == S_OK && count == 1);
    const DEVPROPERTY *properties = objects[0].pProperties;
    CHECK(properties[0].Type == DEVPROP_TYPE_BOOLEAN && *(DEVPROP_BOOLEAN *)properties[0].Buffer == DEVPROP_TRUE);
    CHECK(properties[1].Type == DEVPROP_TYPE_GUID && memcmp(properties[1].Buffer, &outcome.guid, sizeof(GUID)) == 0);
    CHECK(memcmp(properties[2].Buffer, device(&display).interface_address, 6) == 0);
    DevFreeObjects(count, objects);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS && WFDCloseHandle(client) == ERROR_SUCCESS);
    advance(150);
    CHECK(DevGetObjects(DevObjectTypeDevice, 0, 3, keys, 1, &filter, &count, &objects) == S_OK && count == 1);
    properties = objects[0].pProperties;
    CHECK(properties[0].Type == DEVPROP_TYPE_BOOLEAN && *(DEVPROP_BOOLEAN *)properties[0].Buffer == DEVPROP_FALSE);
    CHECK(properties[1].Type == DEVPROP_TYPE_EMPTY && properties[2].Type == DEVPROP_TYPE_EMPTY);
    DevFreeObjects(count, objects);
}

static void device_interfaces_are_found_by_their_class(void)
{
    DEVPROPCOMPKEY keys[] = {key(wifi_direct, 1), key(interface_set, 3)};
    DEVPROP_FILTER_EXPRESSION filter = {
        DEVPROP_OPERATOR_EQUALS, {key(interface_set, 4), DEVPROP_TYPE_GUID, sizeof class_guid, (void *)&class_guid}};
    ULONG count;
    const DEV_OBJECT *objects;
    CHECK(DevGetObjects(DevObjectTypeDeviceInterface, 0, 2, keys, 1, &filter, &count, &objects) == S_OK && count == 6);
    CHECK(objects[0].pszObjectId[0] == '\\' && objects[0].pProperties[0].Type == DEVPROP_TYPE_EMPTY);
    CHECK(*(DEVPROP_BOOLEAN *)objects[0].pProperties[1].Buffer == DEVPROP_TRUE);
    DevFreeObjects(count, objects);
    filter.Operator |= DEVPROP_OPERATOR_MODIFIER_NOT;
    CHECK(DevGetObjects(DevObjectTypeDeviceInterface, 0, 2, keys, 1, &filter, &count, &objects) == S_OK);
    CHECK(count == 0 && objects == NULL);
    CHECK(DevGetObjects(5, 0, 2, keys, 0, NULL, &count, &objects) == S_OK && count == 0);
}

static void one_object_is_read_by_its_id(void)
{
    ULONG count, property_count;
    const DEV_OBJECT *objects;
    const DEVPROPERTY *properties;
    DEVPROPCOMPKEY address = key(wifi_direct, 1);
    WCHAR unknown[] = {'x', 0};
    CHECK(DevGetObjects(DevObjectTypeDevice, DevQueryFlagAllProperties, 0, NULL, 0, NULL, &count, &objects) == S_OK);
    CHECK(objects[3].cPropertyCount > 5);
    CHECK(DevGetObjectProperties(DevObjectTypeDevice, objects[3].pszObjectId, 0, 1, &address, &property_count,
                                 &properties) == S_OK);
    CHECK(property_count == 1 && memcmp(properties[0].Buffer, robot, 6) == 0);
    DevFreeObjectProperties(property_count, properties);
    CHECK(DevGetObjectProperties(DevObjectTypeDevice, objects[3].pszObjectId, DevQueryFlagAllProperties, 0, NULL,
                                 &property_count, &properties) == S_OK);
    CHECK(property_count == objects[3].cPropertyCount);
    DevFreeObjectProperties(property_count, properties);
    DevFreeObjects(count, objects);
    CHECK(DevGetObjectProperties(DevObjectTypeDevice, unknown, 0, 1, &address, &property_count, &properties) ==
          E_ELEMENT_NOT_FOUND);
}

static HRESULT read_by_id(uint32_t type, const char *id)
{
    WCHAR text[96];
    ULONG count;
    const DEVPROPERTY *properties;
    DEVPROPCOMPKEY address = key(wifi_direct, 1);
    text_from_utf8(text, SIM_ARRAY_LENGTH(text), id);
    HRESULT result = DevGetObjectProperties(type, text, 0, 1, &address, &count, &properties);
    if (result == S_OK)
        DevFreeObjectProperties(count, properties);
    return result;
}

static void an_object_is_found_only_by_its_whole_id(void)
{
    SimNode node = {{2, 0x11, 0x22, 0x33, 0x44, 2}, 1, SIM_AS_DEVICE, "#2"};
    const uint32_t device_type = DevObjectTypeDevice, interface_type = DevObjectTypeDeviceInterface;
    CHECK(read_by_id(device_type, "SWD\\WiFiDirect\\02:11:22:33:44:02") == S_OK);
    CHECK(read_by_id(device_type, "SWD\\WiFiDirect\\02:11:22:33:44:02#2") == E_ELEMENT_NOT_FOUND);
    CHECK(SimSetNode(&node) == ERROR_SUCCESS);
    CHECK(read_by_id(device_type, "SWD\\WiFiDirect\\02:11:22:33:44:02#2") == S_OK);
    CHECK(read_by_id(interface_type, "SWD\\WiFiDirect\\02:11:22:33:44:02") == E_ELEMENT_NOT_FOUND);
    CHECK(read_by_id(interface_type,
                     "\\\\?\\SWD#WiFiDirect#02:11:22:33:44:02#2#{439b20af-8955-405b-99f0-a62af0c68d43}") == S_OK);
    static const char *const others[] = {"",
                                         ":",
                                         "02:11:22:33:44:02",
                                         "SWD\\WiFiDirect\\",
                                         "SWD\\WiFiDirect\\02:11:22:33:44",
                                         "SWD\\WiFiDirect\\02:11:22:33:44:0",
                                         "SWD\\WiFiDirect\\02:11:22:33:44:0\xC3\xBC",
                                         "SWD\\WiFiDirect\\02-11-22-33-44-01",
                                         "SWD\\WiFiDirect\\02:AA:BB:CC:DD:EE",
                                         "SWD\\WiFiDirect\\02:aa:bb:cc:dd:ee"};
    for (size_t i = 0; i < SIM_ARRAY_LENGTH(others); i++)
        CHECK(read_by_id(device_type, others[i]) == E_ELEMENT_NOT_FOUND);
    CHECK(SimRemoveDevice(scanner) == ERROR_SUCCESS);
    CHECK(read_by_id(device_type, "SWD\\WiFiDirect\\02:11:22:33:44:02") == E_ELEMENT_NOT_FOUND);
}

static ULONG count_by_address(const uint8_t first[6], uint32_t operator, const uint8_t second[6], ULONG pid)
{
    DEVPROP_FILTER_EXPRESSION filters[] = {
        {DEVPROP_OPERATOR_EQUALS, {key(wifi_direct, 1), DEVPROP_TYPE_BINARY, 6, (PVOID)first}},
        {operator, {key(wifi_direct, pid), DEVPROP_TYPE_BINARY, 6, (PVOID)second} } };
    ULONG count;
    const DEV_OBJECT *objects;
    CHECK(DevGetObjects(DevObjectTypeDevice, 0, 0, NULL, 2, filters, &count, &objects) == S_OK);
    DevFreeObjects(count, objects);
    return count;
}

static void filters_on_the_address_all_apply(void)
{
    CHECK(count_by_address(display, DEVPROP_OPERATOR_EQUALS, display, 0x0D) == 1);
    CHECK(count_by_address(display, DEVPROP_OPERATOR_EQUALS, scanner, 1) == 0);
    CHECK(count_by_address(scanner, DEVPROP_OPERATOR_NOT_EQUALS, display, 1) == 1);
    CHECK(count_by_address(display, DEVPROP_OPERATOR_NOT_EQUALS, display, 0x0D) == 0);
    CHECK(count_by_address(stranger, DEVPROP_OPERATOR_EQUALS, stranger, 1) == 0);
}

static void object_parameters_are_checked(void)
{
    DEVPROPCOMPKEY keys[] = {key(wifi_direct, 1)}, localized = {.Key = keys[0].Key, .LocaleName = (const WCHAR *)keys};
    DEVPROP_FILTER_EXPRESSION greater = {3, {keys[0], DEVPROP_TYPE_BINARY, 6, display}};
    ULONG count;
    const DEV_OBJECT *objects;
    CHECK(DevGetObjects(3, 0, 1, keys, 0, NULL, NULL, &objects) == E_INVALIDARG);
    CHECK(DevGetObjects(3, 0, 1, keys, 0, NULL, &count, NULL) == E_INVALIDARG);
    CHECK(DevGetObjects(3, DevQueryFlagUpdateResults, 1, keys, 0, NULL, &count, &objects) == E_INVALIDARG);
    CHECK(DevGetObjects(3, DevQueryFlagAsyncClose, 1, keys, 0, NULL, &count, &objects) == E_INVALIDARG);
    CHECK(DevGetObjects(3, DevQueryFlagAllProperties, 1, keys, 0, NULL, &count, &objects) == E_INVALIDARG);
    CHECK(DevGetObjects(3, 0, 1, NULL, 0, NULL, &count, &objects) == E_INVALIDARG);
    CHECK(DevGetObjects(3, 0, 0, keys, 0, NULL, &count, &objects) == E_INVALIDARG);
    CHECK(DevGetObjects(3, 0, 1, &localized, 0, NULL, &count, &objects) == E_INVALIDARG);
    CHECK(DevGetObjects(3, 0, 1, keys, 1, &greater, &count, &objects) == E_INVALIDARG);
    SimLimits limits = {.clients_max = 1, .sessions_max = 1, .memory_exhausted = 1};
    CHECK(SimSetLimits(&limits) == ERROR_SUCCESS);
    CHECK(DevGetObjects(3, 0, 1, keys, 0, NULL, &count, &objects) == E_OUTOFMEMORY);
}

static void objects_are_freed_once_with_their_count_and_not_used_after(void)
{
    DEVPROPCOMPKEY keys[] = {key(wifi_direct, 1)};
    ULONG count, property_count;
    const DEV_OBJECT *objects;
    const DEVPROPERTY *properties;
    CHECK(DevGetObjects(DevObjectTypeDevice, 0, 1, keys, 0, NULL, &count, &objects) == S_OK);
    const DEVPROPERTY *before = objects[0].pProperties;
    const WCHAR *id = objects[0].pszObjectId;
    DevFreeObjects(count - 1, objects);
    DevFreeObjectProperties(1, before);
    expect_misuse(SIM_MISUSE_WRONG_FREE, 2);
    DevFreeObjects(count, objects);
    CHECK((uint8_t)objects[0].cPropertyCount == 0xDD);
    DevFreeObjects(count, objects);
    expect_misuse(SIM_MISUSE_DOUBLE_FREE, 1);
    CHECK(DevFindProperty(&keys[0].Key, 0, NULL, 1, before) == NULL);
    CHECK(DevGetObjectProperties(DevObjectTypeDevice, id, 0, 1, keys, &property_count, &properties) == E_INVALIDARG);
    expect_misuse(SIM_MISUSE_USE_OF_FREED_DATA, 2);
}

static ULONG count_of(uint32_t type, uint32_t operator, ULONG pid)
{
    DEVPROP_FILTER_EXPRESSION filter = {operator, {key(wifi_direct, pid), DEVPROP_TYPE_EMPTY, 0, NULL} };
    ULONG count;
    const DEV_OBJECT *objects;
    CHECK(DevGetObjects(type, 0, 0, NULL, 1, &filter, &count, &objects) == S_OK);
    DevFreeObjects(count, objects);
    return count;
}

static void a_property_that_exists_does_not_equal_empty(void)
{
    DEVPROP_FILTER_EXPRESSION sized = {DEVPROP_OPERATOR_NOT_EQUALS,
                                       {key(wifi_direct, 1), DEVPROP_TYPE_EMPTY, 6, display}};
    ULONG count;
    const DEV_OBJECT *objects;
    CHECK(count_of(DevObjectTypeDevice, DEVPROP_OPERATOR_NOT_EQUALS, 1) == 6);
    CHECK(count_of(DevObjectTypeDevice, DEVPROP_OPERATOR_EQUALS, 1) == 0);
    /* Without a link there is no interface. */
    CHECK(count_of(DevObjectTypeDevice, DEVPROP_OPERATOR_NOT_EQUALS, 3) == 0);
    CHECK(count_of(DevObjectTypeDevice, DEVPROP_OPERATOR_EQUALS, 3) == 6);
    CHECK(DevGetObjects(DevObjectTypeDevice, 0, 0, NULL, 1, &sized, &count, &objects) == E_INVALIDARG);
}

static void the_properties_are_on_the_objects_where_sim_set_nodes_puts_them(void)
{
    CHECK(SimSetNodes(SIM_NODES_ON_INTERFACES) == ERROR_SUCCESS);
    CHECK(count_of(DevObjectTypeDevice, DEVPROP_OPERATOR_NOT_EQUALS, 1) == 0);
    CHECK(count_of(DevObjectTypeDeviceInterface, DEVPROP_OPERATOR_NOT_EQUALS, 0x0D) == 6);
    /* Device interfaces have only the canonical address. */
    CHECK(count_of(DevObjectTypeDeviceInterface, DEVPROP_OPERATOR_NOT_EQUALS, 1) == 0);
    CHECK(SimSetNodes(SIM_NODES_ON_DEVICES | SIM_NODES_ON_INTERFACES) == ERROR_SUCCESS);
    CHECK(count_of(DevObjectTypeDevice, DEVPROP_OPERATOR_NOT_EQUALS, 1) == 6);
    CHECK(count_of(DevObjectTypeDeviceInterface, DEVPROP_OPERATOR_NOT_EQUALS, 0x0D) == 6);
    CHECK(SimSetNodes(4) == ERROR_INVALID_PARAMETER);
}

static void a_device_can_have_several_nodes(void)
{
    DEVPROPCOMPKEY keys[] = {key(wifi_direct, 1), key(wifi_direct, 5)};
    DEVPROP_FILTER_EXPRESSION filter = {DEVPROP_OPERATOR_EQUALS,
                                        {key(wifi_direct, 1), DEVPROP_TYPE_BINARY, 6, display}};
    SimNode node = {{2, 0x11, 0x22, 0x33, 0x44, 1}, 1, SIM_AS_DEVICE, "#MIRACAST"}, stray = node;
    ULONG count;
    const DEV_OBJECT *objects;
    CHECK(SimSetNode(&node) == ERROR_SUCCESS);
    CHECK(DevGetObjects(DevObjectTypeDevice, 0, 2, keys, 1, &filter, &count, &objects) == S_OK && count == 2);
    CHECK(objects[1].pszObjectId[32] == '#' && objects[0].pProperties[1].Type == DEVPROP_TYPE_EMPTY);
    CHECK(*(DEVPROP_BOOLEAN *)objects[1].pProperties[1].Buffer == DEVPROP_TRUE);
    DevFreeObjects(count, objects);
    for (char i = 'a'; i < 'c'; i++) {
        node.suffix[1] = i;
        CHECK(SimSetNode(&node) == ERROR_SUCCESS);
    }
    node.suffix[1] = 'c';
    CHECK(SimSetNode(&node) == ERROR_NOT_ENOUGH_MEMORY);
    CHECK(SimRemoveNode(display, "") == ERROR_SUCCESS && SimRemoveNode(display, "") == ERROR_NOT_FOUND);
    CHECK(SimSetNode(&node) == ERROR_SUCCESS && SimRemoveNode(display, node.suffix) == ERROR_SUCCESS);
    CHECK(DevGetObjects(DevObjectTypeDevice, 0, 2, keys, 1, &filter, &count, &objects) == S_OK && count == 3);
    DevFreeObjects(count, objects);
    memcpy(stray.device_address, stranger, 6);
    CHECK(SimSetNode(&stray) == ERROR_NOT_FOUND && SimRemoveNode(stranger, "") == ERROR_NOT_FOUND);
}

static void a_reset_removes_nodes_for_good(void)
{
    SimNode node = {{2, 0x11, 0x22, 0x33, 0x44, 1}, SIM_AS_DEVICE, SIM_AS_DEVICE, "#?"};
    for (char round = 'a'; round <= 'z'; round++) {
        node.suffix[1] = round;
        CHECK(SimSetNode(&node) == ERROR_SUCCESS);
        SimReset();
        CHECK(SimRemoveNode(display, node.suffix) == ERROR_NOT_FOUND);
    }
    CHECK(SimRemoveNode(display, "") == ERROR_SUCCESS);
}

static void a_pairing_that_is_not_persistent_ends_with_its_link(void)
{
    struct outcome outcome = {0};
    HANDLE client = open_client();
    SimDevice phone = device(&display);
    phone.is_transient = 1;
    CHECK(SimUpdateDevice(&phone) == ERROR_SUCCESS);
    HANDLE session = open_session(client, &display, &outcome);
    CHECK(SimListDevices(NULL, 0) == 6);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS && WFDCloseHandle(client) == ERROR_SUCCESS);
    advance(150);
    CHECK(SimListDevices(NULL, 0) == 5);
}

const struct test object_tests[] = {
    {"a property that exists does not equal empty", a_property_that_exists_does_not_equal_empty},
    {"the properties are on the objects where SimSetNodes puts them",
     the_properties_are_on_the_objects_where_sim_set_nodes_puts_them},
    {"a device can have several nodes", a_device_can_have_several_nodes},
    {"a reset removes nodes for good", a_reset_removes_nodes_for_good},
    {"a pairing that is not persistent ends with its link", a_pairing_that_is_not_persistent_ends_with_its_link},
    {"every paired device is an object with its properties", every_paired_device_is_an_object_with_its_properties},
    {"connected devices have the properties of their link", connected_devices_have_the_properties_of_their_link},
    {"device interfaces are found by their class", device_interfaces_are_found_by_their_class},
    {"one object is read by its id", one_object_is_read_by_its_id},
    {"an object is found only by its whole id", an_object_is_found_only_by_its_whole_id},
    {"filters on the address all apply", filters_on_the_address_all_apply},
    {"object parameters are checked", object_parameters_are_checked},
    {"objects are freed once, with their count, and not used after",
     objects_are_freed_once_with_their_count_and_not_used_after},
    {0},
};
