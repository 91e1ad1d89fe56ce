/* The notifications of NotifyIpInterfaceChange and NotifyUnicastIpAddressChange. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

static void notify_all(bool of_addresses, ADDRESS_FAMILY family, const void *row, size_t row_size, uint32_t type)
{
    for (struct object *object = world.objects[HANDLE_NOTIFICATION]; object != NULL; object = object->next) {
        const struct notification *notification = (const struct notification *)object;
        if (notification->of_addresses == of_addresses &&
            (notification->family == AF_UNSPEC || notification->family == family))
            notify_change(object->handle, row, row_size, type);
    }
}

void change_notify_interface(const struct interface *interface, uint32_t type)
{
    static const ADDRESS_FAMILY families[] = {AF_INET, AF_INET6};
    if (!(world.notifications & SIM_NOTIFY_INTERFACES))
        return;
    for (size_t i = 0; i < SIM_ARRAY_LENGTH(families); i++) {
        MIB_IPINTERFACE_ROW row = {
            .Family = families[i], .InterfaceLuid.Value = interface->luid, .InterfaceIndex = interface->index};
        notify_all(false, families[i], &row, sizeof row, type);
    }
}

void change_notify_address(const struct interface *interface, ADDRESS_FAMILY family, const uint8_t *address,
                           uint32_t type)
{
    if (!(world.notifications & SIM_NOTIFY_ADDRESSES))
        return;
    MIB_UNICASTIPADDRESS_ROW row = {
        .Address.si_family = family, .InterfaceLuid.Value = interface->luid, .InterfaceIndex = interface->index};
    if (family == AF_INET)
        memcpy(row.Address.Ipv4, address, 4);
    else
        memcpy(row.Address.Ipv6.address, address, 16);
    notify_all(true, family, &row, sizeof row, type);
}

void change_on_callback_return(struct notification *notification)
{
    notification->running_thread = 0;
    call_finish(notification->cancel_call, ERROR_SUCCESS);
    if (notification->is_orphan)
        free(notification);
}

void change_cancel(struct notification *notification)
{
    struct call call;
    handle_retire(&notification->object, END_CLOSED);
    if (notification->running_thread == platform_thread_id()) {
        misuse_count(SIM_MISUSE_CLOSE_IN_CALLBACK, SIM_FUNCTION_CANCEL_MIB_CHANGE_NOTIFY2, notification->object.handle);
    } else if (notification->running_thread != 0) {
        call_begin(&call, SIM_FUNCTION_CANCEL_MIB_CHANGE_NOTIFY2, false);
        notification->cancel_call = call.id;
        call_wait(&call);
    }
    if (notification->running_thread != 0)
        notification->is_orphan = true;
    else
        free(notification);
}
