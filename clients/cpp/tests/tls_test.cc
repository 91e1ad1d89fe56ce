#include <gmock/gmock.h>
#include <grpcpp/security/server_credentials.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "host.h"

using testing::HasSubstr;
using wifidirect::Client;

namespace {

/// A folder with what openssl makes.
class Tls : public testing::Test {
  protected:
    Tls() {
        std::string name = (std::filesystem::temp_directory_path() / "wfd-tls-XXXXXX").string();
        folder_ = mkdtemp(name.data());
    }
    ~Tls() override { std::filesystem::remove_all(folder_); }

    void SetUp() override {
        if (std::system("openssl version > /dev/null 2>&1") != 0) GTEST_SKIP() << "this machine has no openssl";
    }

    void openssl(const std::string& line) const {
        const auto command = "cd " + folder_.string() + " && openssl " + line + " > told 2>&1";
        ASSERT_EQ(std::system(command.c_str()), 0) << line << ": " << text("told");
    }

    /// A certificate of this name, by its own key.
    void self_signed(const std::string& name, const std::string& subject = "localhost") const {
        openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout " + name + ".key -out " + name +
                ".pem -days 9 -subj /CN=" + subject + " -addext subjectAltName=DNS:localhost");
    }

    std::filesystem::path path(const std::string& name) const { return folder_ / name; }

    std::string text(const std::string& name) const {
        std::ostringstream content;
        content << std::ifstream(path(name)).rdbuf();
        return content.str();
    }

    /// What a client says that trusts the first file, and shows the others, to a host with this
    /// certificate.
    std::string told(const std::string& host_name, const wifidirect::Tls& tls, const std::string& trusted = "") const {
        grpc::SslServerCredentialsOptions options;
        options.pem_key_cert_pairs.push_back({text(host_name + ".key"), text(host_name + ".pem")});
        if (!trusted.empty()) {
            options.pem_root_certs = text(trusted);
            options.client_certificate_request = GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
        }
        ScriptedHost host;
        grpc::ServerBuilder builder;
        int port = 0;
        builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port);
        builder.RegisterService(&host);
        const auto server = builder.BuildAndStart();
        const Client client("localhost:" + std::to_string(port), {.tls = tls});
        const auto error = error_of([&] { client.sessions().get("a-session"); });
        return error ? error->what() : "nothing";
    }

    // Of the host, where it is reached: the test gives no answer.
    static constexpr const char* reached = "the test gives no answer";

  private:
    std::filesystem::path folder_;
};

}  // namespace

TEST_F(Tls, TakesKeysAsPeopleHaveThem) {
    self_signed("host");
    for (const std::string recipe :
         {"ecparam -name prime256v1 -genkey", "genrsa -traditional", "genpkey -algorithm rsa",
          "genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-384", "genpkey -algorithm ed25519"}) {
        openssl(recipe + " -out agent.key");
        openssl("req -x509 -key agent.key -out agent.pem -days 9 -subj /CN=agent");
        const auto tls = wifidirect::load_tls(path("host.pem"), path("agent.pem"), path("agent.key"));
        EXPECT_THAT(told("host", tls, "agent.pem"), HasSubstr(reached)) << recipe;
    }
}

TEST_F(Tls, TrustsALeafAloneAndAHostThatIsItsOwnAuthority) {
    self_signed("ca", "Authority");
    openssl(
        "req -new -newkey rsa:2048 -noenc -keyout leaf.key -out leaf.csr -subj /CN=localhost -addext "
        "subjectAltName=DNS:localhost");
    openssl(
        "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -copy_extensions copy -days 9 -out leaf.pem");
    for (const std::string trusted : {"leaf", "ca"}) {
        EXPECT_THAT(told("leaf", wifidirect::load_tls(path(trusted + ".pem"))), HasSubstr(reached)) << trusted;
    }
    EXPECT_THAT(told("ca", wifidirect::load_tls(path("ca.pem"))), HasSubstr(reached));
}

TEST_F(Tls, TrustsBothOfTwoAuthoritiesOfOneName) {
    self_signed("old", "Authority");
    self_signed("new", "Authority");
    for (const auto& both : {text("old.pem") + text("new.pem"), text("new.pem") + text("old.pem")}) {
        for (const std::string name : {"old", "new"}) {
            EXPECT_THAT(told(name, {.ca = both}), HasSubstr(reached)) << name;
        }
    }
}

TEST_F(Tls, TellsWhyAHostIsNotTrusted) {
    self_signed("host");
    self_signed("other", "Other");
    EXPECT_THAT(told("host", wifidirect::load_tls(path("other.pem"))), HasSubstr("UNAVAILABLE"));
}

TEST_F(Tls, NamesAKeyThatIsEncrypted) {
    self_signed("host");
    openssl("pkey -in host.key -aes256 -passout pass:secret -out locked.key");
    const auto error = error_of([&] { wifidirect::load_tls(path("host.pem"), path("host.pem"), path("locked.key")); });
    ASSERT_TRUE(error);
    EXPECT_THAT(error->what(), HasSubstr("openssl pkey -in"));
}
