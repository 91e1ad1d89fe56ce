/* WlanReasonCodeToString of wlanapi.dll. */
#include "world.h"

#include <stdio.h>

/* Only reasons that are plausible for a Wi-Fi Direct connection. Windows has texts for about a
 * hundred. */
static const struct {
    DWORD code;
    const char *text;
} reasons[] = {
    {0x00000, "The operation was successful."},
    {0x10001, "The reason is unknown."},
    {0x20001, "The network is not compatible."},
    {0x28002, "The network is not visible."},
    {0x28003, "The network is blocked by group policy."},
    {0x28009, "The connect call failed."},
    {0x2800B, "The network is not available."},
    {0x2800D, "The key of the profile does not match the network's."},
    {0x2800E, "The user did not respond."},
    {0x38001, "The operation was cancelled by the user."},
    {0x38002, "The driver disconnected while associating."},
    {0x38003, "Association timed out."},
    {0x38004, "Security failed before association."},
    {0x38006, "Security failed."},
    {0x38007, "Security timed out."},
    {0x3800B, "The driver disconnected."},
    {0x3800C, "The driver failed to perform an operation."},
    {0x3800F, "Timed out waiting for the driver to disconnect."},
    {0x38010, "An internal error occurred."},
    {0x38012, "There were too many attempts at security."},
    {0x48002, "802.1X authentication did not start in time."},
    {0x48003, "802.1X authentication did not complete in time."},
    {0x48004, "The key exchange did not start in time."},
    {0x48005, "The key exchange did not complete in time."},
    {0x48011, "The operation was cancelled by a caller."},
    {0x48014, "The pre-shared key seems not to match."},
    {0x80002, "The profile is missing."},
};

DWORD WINAPI WlanReasonCodeToString(DWORD dwReasonCode, DWORD dwBufferSize, WCHAR *pStringBuffer, PVOID pReserved)
{
    if (dwBufferSize == 0 || pStringBuffer == NULL || pReserved != NULL)
        return ERROR_INVALID_PARAMETER;
    char unknown[48];
    const char *text = unknown;
    snprintf(unknown, sizeof unknown, "Unknown reason code 0x%08X.", (unsigned)dwReasonCode);
    for (size_t i = 0; i < SIM_ARRAY_LENGTH(reasons); i++) {
        if (reasons[i].code == dwReasonCode)
            text = reasons[i].text;
    }
    text_from_utf8(pStringBuffer, dwBufferSize, text);
    return ERROR_SUCCESS;
}
