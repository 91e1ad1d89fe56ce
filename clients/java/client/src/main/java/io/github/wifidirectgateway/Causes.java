package io.github.wifidirectgateway;

import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.List;

/** Translates the errors that gRPC for Java creates itself into the words and codes that all clients use. */
final class Causes {
    private static final String UNREADABLE = "Failed to read message.";
    /** gRPC lists the handlers of the connection, which is of no use to the reader. */
    private static final String PIPELINE = "\nChannel Pipeline:";

    private Causes() {}

    /** Returns a status that names its causes. */
    static Status named(Status status) {
        if (status.getCode() == Status.Code.CANCELLED
                && UNREADABLE.equals(status.getDescription())
                && status.getCause() instanceof StatusRuntimeException unreadable) {
            return Status.INTERNAL
                    .withDescription("a message of the host can't be read: "
                            + unreadable.getStatus().getDescription())
                    .withCause(unreadable);
        }
        if (status.getCode() != Status.Code.UNAVAILABLE || status.getCause() == null) {
            return status;
        }
        return status.withDescription(String.join(": ", words(status)));
    }

    /** From the general to the specific, without repetition. */
    private static List<String> words(Status status) {
        var words = new ArrayList<String>();
        add(words, status.getDescription());
        for (var cause = status.getCause(); cause != null; cause = cause.getCause()) {
            // The message of a status begins with its code.
            boolean isStatus = cause instanceof StatusRuntimeException || cause instanceof StatusException;
            String said = isStatus ? Status.fromThrowable(cause).getDescription() : cause.getMessage();
            boolean isRoot = cause.getCause() == null;
            add(words, said == null && isRoot ? cause.getClass().getSimpleName() : said);
        }
        return words;
    }

    private static void add(List<String> words, String text) {
        if (text == null) {
            return;
        }
        int pipeline = text.indexOf(PIPELINE);
        String said = pipeline < 0 ? text : text.substring(0, pipeline);
        boolean isSaid = said.isBlank() || words.stream().anyMatch(other -> other.contains(said));
        if (!isSaid) {
            words.removeIf(said::contains);
            words.add(said);
        }
    }
}
