#include "wifidirect/options.h"

#include <fstream>
#include <sstream>
#include <string>

#include "wifidirect/error.h"

namespace wifidirect {
namespace {

std::string read_pem(const std::filesystem::path& file, const std::string& what) {
    if (file.empty()) return {};
    const std::ifstream stream(file, std::ios::binary);
    if (!stream) throw Error(grpc::Status(grpc::INVALID_ARGUMENT, "tls: can't read " + file.string()));
    std::ostringstream content;
    content << stream.rdbuf();
    std::string text = content.str();
    if (text.find("-----BEGIN ") == std::string::npos || text.find(what + "-----") == std::string::npos) {
        throw Error(grpc::Status(grpc::INVALID_ARGUMENT, "tls: " + file.string() + " holds no " + what));
    }
    if (text.find("ENCRYPTED") != std::string::npos) {
        throw Error(grpc::Status(grpc::INVALID_ARGUMENT, "tls: " + file.string() +
                                                             " is encrypted; decrypt it: openssl pkey -in " +
                                                             file.string() + " -out plain.key"));
    }
    return text;
}

}  // namespace

Tls load_tls(const std::filesystem::path& ca_file, const std::filesystem::path& certificate_file,
             const std::filesystem::path& key_file) {
    return {.ca = read_pem(ca_file, "CERTIFICATE"),
            .certificate = read_pem(certificate_file, "CERTIFICATE"),
            .key = read_pem(key_file, "PRIVATE KEY")};
}

}  // namespace wifidirect
