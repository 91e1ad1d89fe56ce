/* UTF-8 to UTF-16. */
#include "world.h"

/* Reads the code point at *at, and advances *at. A sequence that is cut short gives U+FFFD. Any
 * other invalid sequence can give any code point. */
static uint32_t next_point(const uint8_t **at)
{
    static const uint8_t lead_bits[] = {0x7F, 0x1F, 0x0F, 0x07};
    uint8_t lead = *(*at)++;
    int more = lead < 0x80 ? 0 : lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    uint32_t point = lead & lead_bits[more];
    for (; more > 0 && (**at & 0xC0) == 0x80; more--)
        point = point << 6 | (*(*at)++ & 0x3F);
    return more > 0 ? 0xFFFD : point;
}

void text_from_utf8(WCHAR *text, size_t capacity, const char *utf8)
{
    const uint8_t *at = (const uint8_t *)utf8;
    size_t length = 0;
    while (*at != 0) {
        uint32_t point = next_point(&at);
        size_t units = point > 0xFFFF ? 2 : 1;
        if (length + units >= capacity)
            break;
        if (units == 2)
            text[length++] = (WCHAR)(0xD800 + ((point - 0x10000) >> 10));
        text[length++] = (WCHAR)(units == 2 ? 0xDC00 + ((point - 0x10000) & 0x3FF) : point);
    }
    text[length] = 0;
}
