package walkthrough;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** A way to a host that can be cut. */
final class Way implements Closeable {
    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final String host;
    private final int port;
    private final List<Socket> sockets = new ArrayList<>();
    private boolean isCut = false;

    Way(String address) throws IOException {
        int colon = address.lastIndexOf(':');
        host = address.substring(0, colon);
        port = Integer.parseInt(address.substring(colon + 1));
        begin(this::accept);
    }

    String address() {
        return "127.0.0.1:" + server.getLocalPort();
    }

    synchronized void cut() {
        isCut = true;
        sockets.forEach(Way::end);
        sockets.clear();
    }

    synchronized void mend() {
        isCut = false;
    }

    @Override
    public void close() throws IOException {
        server.close();
        cut();
    }

    private void accept() throws IOException {
        while (!server.isClosed()) {
            link(server.accept());
        }
    }

    private synchronized void link(Socket near) throws IOException {
        if (isCut) {
            end(near);
            return;
        }
        var far = new Socket(host, port);
        sockets.add(near);
        sockets.add(far);
        begin(() -> pipe(near, far));
        begin(() -> pipe(far, near));
    }

    private static void pipe(Socket from, Socket to) throws IOException {
        try (from;
                to) {
            from.getInputStream().transferTo(to.getOutputStream());
        }
    }

    private static void end(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // It is not of use any more.
        }
    }

    /** In a thread of its own, which ends when its sockets do. */
    private static void begin(Work work) {
        var thread = new Thread(() -> {
            try {
                work.run();
            } catch (IOException e) {
                // A socket was closed.
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private interface Work {
        void run() throws IOException;
    }
}
