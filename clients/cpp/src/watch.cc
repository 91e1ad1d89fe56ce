#include "wifidirect/watch.h"

#include "following.h"
#include "wifidirect/devices.h"
#include "wifidirect/sessions.h"

namespace wifidirect {

template <typename Thing, typename Event>
Watch<Thing, Event>::Watch(std::unique_ptr<Source> source) noexcept : source_(std::move(source)) {}

template <typename Thing, typename Event>
Watch<Thing, Event>::Watch(Watch&&) noexcept = default;

template <typename Thing, typename Event>
Watch<Thing, Event>& Watch<Thing, Event>::operator=(Watch&&) noexcept = default;

template <typename Thing, typename Event>
Watch<Thing, Event>::~Watch() = default;

template <typename Thing, typename Event>
std::optional<WatchItem<Thing, Event>> Watch<Thing, Event>::next() {
    return source_->next();
}

template <typename Thing, typename Event>
void Watch<Thing, Event>::cancel() noexcept {
    source_->cancel();
}

template class Watch<v1::Session, v1::SessionEvent>;
template class Watch<v1::Device, v1::DeviceEvent>;

}  // namespace wifidirect
