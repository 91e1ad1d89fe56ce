package io.github.wifidirectgateway;

import io.github.wifidirectgateway.v1.CloseSessionRequest;
import io.github.wifidirectgateway.v1.CloseSessionResponse;
import io.github.wifidirectgateway.v1.GetSessionRequest;
import io.github.wifidirectgateway.v1.GetSessionResponse;
import io.github.wifidirectgateway.v1.ListSessionsRequest;
import io.github.wifidirectgateway.v1.ListSessionsResponse;
import io.github.wifidirectgateway.v1.OpenSessionRequest;
import io.github.wifidirectgateway.v1.OpenSessionResponse;
import io.github.wifidirectgateway.v1.Session;
import io.github.wifidirectgateway.v1.SessionEvent;
import io.github.wifidirectgateway.v1.SessionServiceGrpc;
import io.github.wifidirectgateway.v1.SessionState;
import io.github.wifidirectgateway.v1.WatchSessionsRequest;
import io.github.wifidirectgateway.v1.WatchSessionsResponse;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.function.BiConsumer;
import java.util.function.Function;

/** A host whose answers a test gives; what it does not give fails. */
final class ScriptedHost extends SessionServiceGrpc.SessionServiceImplBase implements AutoCloseable {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private static final Context.Key<String> TOKEN = Context.key("token");

    BiConsumer<OpenSessionRequest, ServerCallStreamObserver<OpenSessionResponse>> open;
    Function<CloseSessionRequest, CloseSessionResponse> close;
    Function<GetSessionRequest, GetSessionResponse> get;
    Function<ListSessionsRequest, ListSessionsResponse> list;
    BiConsumer<WatchSessionsRequest, StreamObserver<WatchSessionsResponse>> watch;

    private final Server server;

    ScriptedHost() throws IOException {
        this(InsecureServerCredentials.create());
    }

    ScriptedHost(ServerCredentials credentials) throws IOException {
        server = Grpc.newServerBuilderForPort(0, credentials)
                .addService(this)
                .intercept(new Caller())
                .build()
                .start();
    }

    /** By the name that certificates have. */
    String addressByName() {
        return "localhost:" + server.getPort();
    }

    String address() {
        return "127.0.0.1:" + server.getPort();
    }

    /** Who calls; empty: nobody. */
    static String token() {
        return TOKEN.get() == null ? "" : TOKEN.get();
    }

    static void tell(StreamObserver<OpenSessionResponse> stream, SessionState... states) {
        for (var state : states) {
            var session = Session.newBuilder().setSessionId("a-session").setState(state);
            var event = SessionEvent.newBuilder().setSession(session);
            stream.onNext(OpenSessionResponse.newBuilder().setEvent(event).build());
        }
    }

    @Override
    public void openSession(OpenSessionRequest request, StreamObserver<OpenSessionResponse> stream) {
        open.accept(request, (ServerCallStreamObserver<OpenSessionResponse>) stream);
    }

    @Override
    public void closeSession(CloseSessionRequest request, StreamObserver<CloseSessionResponse> answer) {
        answer(close, request, answer);
    }

    @Override
    public void getSession(GetSessionRequest request, StreamObserver<GetSessionResponse> answer) {
        answer(get, request, answer);
    }

    @Override
    public void listSessions(ListSessionsRequest request, StreamObserver<ListSessionsResponse> answer) {
        answer(list, request, answer);
    }

    @Override
    public void watchSessions(WatchSessionsRequest request, StreamObserver<WatchSessionsResponse> stream) {
        watch.accept(request, stream);
    }

    @Override
    public void close() {
        server.shutdownNow();
    }

    private static <Q, R> void answer(Function<Q, R> script, Q request, StreamObserver<R> answer) {
        try {
            answer.onNext(script.apply(request));
            answer.onCompleted();
        } catch (StatusRuntimeException e) {
            answer.onError(e);
        }
    }

    private static final class Caller implements ServerInterceptor {
        @Override
        public <Q, R> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
            var context = Context.current().withValue(TOKEN, headers.get(AUTHORIZATION));
            return Contexts.interceptCall(context, call, headers, next);
        }
    }
}
