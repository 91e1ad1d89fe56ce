#include <gmock/gmock.h>
#include <grpcpp/support/channel_arguments.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "host.h"

using namespace std::chrono_literals;
using testing::HasSubstr;
using wifidirect::Client;
using wifidirect::ConnectOptions;
using wifidirect::TokenSource;
namespace v1 = wifidirect::v1;

namespace {

/// Answers with the token that a caller has shown.
struct HostOfTokens : ScriptedHost {
    HostOfTokens() {
        on_get = [](auto& context, const auto&, auto& response) {
            const auto [first, last] = context.client_metadata().equal_range("authorization");
            for (auto token = first; token != last; ++token) {
                response.mutable_cursor()->append(token->second.data(), token->second.size());
            }
            response.mutable_session();
            return grpc::Status::OK;
        };
    }
};

/// Accepts connections, in that the system does, and says nothing.
class SilentHost {
  public:
    SilentHost() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* any = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(socket_, any, size), 0);
        EXPECT_EQ(::listen(socket_, 16), 0);
        EXPECT_EQ(::getsockname(socket_, any, &size), 0);
        address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    }
    SilentHost(const SilentHost&) = delete;
    SilentHost& operator=(const SilentHost&) = delete;
    ~SilentHost() { ::close(socket_); }

    const std::string& address() const { return address_; }

  private:
    int socket_;
    std::string address_;
};

std::string seen(const Client& client) { return client.sessions().get("a-session").cursor; }

std::string refusal(const std::string& address, const ConnectOptions& options) {
    const auto error = error_of([&] { const Client client(address, options); });
    if (!error) return "none";
    EXPECT_EQ(error->code(), grpc::INVALID_ARGUMENT);
    return error->message();
}

}  // namespace

TEST(Connecting, NeedsNothingSaidOnThisMachine) {
    HostOfTokens host;
    EXPECT_EQ(seen(Client(host.serve())), "");
}

TEST(Connecting, ATokenGoesWithEachCall) {
    HostOfTokens host;
    const Client client(host.serve(), {.token = "secret"});
    EXPECT_EQ(seen(client), "Bearer secret");
    EXPECT_EQ(seen(client), "Bearer secret");
}

TEST(Connecting, ASourceIsAskedForEachToken) {
    HostOfTokens host;
    int count = 0;
    const Client client(host.serve(), {.token = [&count] { return "token-" + std::to_string(++count); }});
    EXPECT_EQ(seen(client), "Bearer token-1");
    EXPECT_EQ(seen(client), "Bearer token-2");
}

TEST(Connecting, ATokenThatCannotBeHadFailsTheCall) {
    HostOfTokens host;
    const TokenSource sealed = []() -> std::string { throw std::runtime_error("the vault is sealed"); };
    const Client client(host.serve(), {.token = sealed});
    const auto error = error_of([&] { seen(client); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), grpc::UNAVAILABLE);
    EXPECT_THAT(error->what(), HasSubstr("the vault is sealed"));
}

TEST(Connecting, ATokenThatNoHeaderCanHoldIsRefusedAndNotTold) {
    HostOfTokens host;
    const auto address = host.serve();
    for (const auto& token : {std::string("secret\n"),
                              std::string("s\xc3\xa9"
                                          "cret"),
                              std::string()}) {
        const auto why = refusal(address, {.token = token});
        EXPECT_THAT(why, testing::StartsWith("token: "));
        EXPECT_THAT(why, testing::Not(HasSubstr("cret")));
        const auto error = error_of([&] { seen(Client(address, {.token = [token] { return token; }})); });
        ASSERT_TRUE(error);
        EXPECT_EQ(error->code(), grpc::UNAVAILABLE);
        EXPECT_THAT(error->what(), testing::Not(HasSubstr("cret")));
    }
}

TEST(Connecting, WhatTheHookForMetadataGivesIsSentAndMayFailTheCall) {
    HostOfTokens host;
    const auto address = host.serve();
    int count = 0;
    const Client client(address, {.metadata = [&count] {
                            return wifidirect::Metadata{{"authorization", "trace-" + std::to_string(++count)}};
                        }});
    EXPECT_EQ(seen(client), "trace-1");
    EXPECT_EQ(seen(client), "trace-2");
    using Hook = wifidirect::MetadataHook;
    for (const Hook& hook :
         {Hook([]() -> wifidirect::Metadata { throw std::runtime_error("there is no trace"); }), Hook([] {
              return wifidirect::Metadata{{"Upper", "a"}};
          }),
          Hook([] {
              return wifidirect::Metadata{{"name", "a\nb"}};
          }),
          Hook([]() -> wifidirect::Metadata { throw 7; })}) {
        const auto error = error_of([&] { seen(Client(address, {.metadata = hook})); });
        ASSERT_TRUE(error);
        EXPECT_EQ(error->code(), grpc::UNAVAILABLE);
        EXPECT_THAT(error->what(), HasSubstr("the hook for metadata failed"));
    }
}

TEST(Connecting, WhatIsNoAddressIsRefused) {
    for (const std::string address :
         {"", "  ", "http://localhost:1", "https://host.example:1", "grpc://localhost:1", "tcp://localhost:1",
          "localhost:0", "localhost:65536", "localhost:abc", "localhost:", "localhost:1/path", ":50051", "[::1]:0"}) {
        EXPECT_THAT(refusal(address, {}), testing::StartsWith("the address ")) << address;
    }
}

TEST(Connecting, TimesThatCannotBeAreRefused) {
    for (const auto time : {0ms, -1ms}) {
        EXPECT_THAT(refusal("localhost:1", {.timeout = time}), testing::StartsWith("timeout: "));
        EXPECT_THAT(refusal("localhost:1", {.connect_timeout = time}), testing::StartsWith("connect_timeout: "));
    }
}

TEST(Connecting, AHostThatAcceptsAndIsSilentIsGivenUpAgainAndAgain) {
    const SilentHost host;
    const Client client(host.address(), {.connect_timeout = 300ms});
    for (int again = 0; again < 2; ++again) {
        const auto error = error_of([&] { client.host(); });
        ASSERT_TRUE(error);
        EXPECT_EQ(error->code(), grpc::UNAVAILABLE) << error->what();
    }
    const auto error = error_of([&] { const auto session = client.sessions().open({}); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), grpc::UNAVAILABLE) << error->what();
}

TEST(Connecting, AUnaryCallReachesAHostThatIsBackAtOnce) {
    HostOfTokens host;
    std::optional<Serving> serving(std::in_place, host);
    const int port = serving->port();
    const Client client(serving->address());
    EXPECT_EQ(seen(client), "");
    serving.reset();
    // The pause of the channel grows meanwhile.
    for (int failure = 0; failure < 3; ++failure) EXPECT_TRUE(error_of([&] { seen(client); }));
    serving.emplace(host, port);
    EXPECT_EQ(error_of([&] { seen(client); }), std::nullopt);
}

TEST(Connecting, StubsOfOnesOwnGetTheToken) {
    HostOfTokens host;
    const Client client(host.serve(), {.token = "secret"});
    grpc::ClientContext context;
    client.prepare(context);
    v1::GetSessionResponse response;
    wifidirect::throw_unless_ok(
        v1::SessionService::NewStub(client.channel())->GetSession(&context, v1::GetSessionRequest(), &response));
    EXPECT_EQ(response.cursor(), "Bearer secret");
}

TEST(Connecting, ATokenNeverGoesToAnotherMachineInClearText) {
    for (const std::string address :
         {"host.example:50051", "10.0.0.7:50051", "dns:///host.example", "localhost.example:1", "LOCALHOST:50051",
          "UNIX:/path", "DNS:localhost", "::1:5005", "128.0.0.1:50051", "dns://8.8.8.8/localhost"}) {
        EXPECT_THAT(refusal(address, {.clear_text = true, .token = "secret"}), HasSubstr("clear text")) << address;
    }
    for (const std::string address : {"localhost:50051", "127.8.0.1", "[::1]:50051", "::1", "ipv6:[::1]:50051",
                                      "dns:///localhost:50051", "unix:/run/wfdd.sock"}) {
        EXPECT_EQ(refusal(address, {.token = "secret"}), "none") << address;
    }
}

TEST(Connecting, AnotherMachineIsReachedByTls) {
    HostOfTokens host;
    auto port = host.serve();
    port = port.substr(port.find(':'));
    // The same host, by an address that is not known for this machine: it speaks no TLS.
    const auto error = error_of([&] { seen(Client("0.0.0.0" + port, {.token = "secret"})); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), grpc::UNAVAILABLE);
    EXPECT_EQ(error->reason_name(), "");
}

TEST(Connecting, OptionsThatExcludeEachOtherAreRefused) {
    EXPECT_THAT(refusal("localhost:1", {.tls = wifidirect::Tls{}, .clear_text = true}), HasSubstr("exclude"));
    EXPECT_THAT(refusal("localhost:1", {.tls = wifidirect::Tls{.certificate = "a"}}), HasSubstr("go together"));
}

TEST(Connecting, WhatConfigureSetsWins) {
    HostOfTokens host;
    const auto configure = [](grpc::ChannelArguments& arguments) { arguments.SetMaxReceiveMessageSize(1); };
    const Client client(host.serve(), {.token = "secret", .configure = configure});
    const auto error = error_of([&] { seen(client); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), grpc::RESOURCE_EXHAUSTED);
}

TEST(Connecting, FilesThatCannotBeUsedAreNamed) {
    const auto folder = std::filesystem::temp_directory_path() / "wifi_direct_gateway_tests";
    std::filesystem::create_directories(folder);
    const auto key = folder / "agent.key";
    const auto certificate = folder / "agent.pem";
    std::ofstream(key) << "-----BEGIN EC PRIVATE KEY-----\n";
    std::ofstream(certificate) << "-----BEGIN CERTIFICATE-----\n";
    const auto told = [](const auto&... files) {
        const auto error = error_of([&] { wifidirect::load_tls(files...); });
        return error ? error->message() : "none";
    };
    EXPECT_THAT(told("no-such.pem"), HasSubstr("can't read no-such.pem"));
    EXPECT_THAT(told(folder), HasSubstr(folder.string() + " holds no CERTIFICATE"));
    EXPECT_THAT(told(key), HasSubstr("agent.key holds no CERTIFICATE"));
    EXPECT_THAT(told("", certificate, certificate), HasSubstr("agent.pem holds no PRIVATE KEY"));
    EXPECT_EQ(told(certificate, certificate, key), "none");
    std::filesystem::remove_all(folder);
}

TEST(Connecting, AClosedClientEndsItsCalls) {
    HostOfTokens host;
    Client client(host.serve());
    client.close();
    client.close();
    const auto error = error_of([&] { seen(client); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), grpc::CANCELLED);
}

TEST(Connecting, AClientCanBeMoved) {
    HostOfTokens host;
    Client first(host.serve());
    const Client second(std::move(first));
    EXPECT_EQ(seen(second), "");
}
