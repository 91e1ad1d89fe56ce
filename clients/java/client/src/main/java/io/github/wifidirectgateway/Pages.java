package io.github.wifidirectgateway;

import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Function;

/**
 * A list that is fetched page by page as it is read.
 *
 * @param ask fetches the page of a token; the token of the first page is empty
 */
record Pages<T>(Function<String, Page<T>> ask) implements Iterable<T> {
    /** The next token is empty on the last page. */
    record Page<T>(List<T> things, String nextToken) {}

    @Override
    public Iterator<T> iterator() {
        return new Iterator<>() {
            private Page<T> page = new Page<>(List.of(), "");
            private Iterator<T> things = page.things().iterator();
            private boolean isFirst = true;

            @Override
            public boolean hasNext() {
                while (!things.hasNext() && (isFirst || !page.nextToken().isEmpty())) {
                    page = ask.apply(page.nextToken());
                    things = page.things().iterator();
                    isFirst = false;
                }
                return things.hasNext();
            }

            @Override
            public T next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                return things.next();
            }
        };
    }
}
