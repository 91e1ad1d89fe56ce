#pragma once

#include <string>

#include "wifidirect/client.h"

/// Tells one step, with the time since the chapter began.
void tell(const std::string& label, const std::string& text = {});

/// Throws unless it is as the contract says.
void expect(bool is_so, const std::string& what);

/// The name of what happened, without its prefix.
std::string name_of(wifidirect::v1::SessionEventType type);

/// Watches by a way of its own, which is cut while a session comes and goes.
void cut_watch(const wifidirect::Client& client, const std::string& address, const wifidirect::v1::Device& device);
