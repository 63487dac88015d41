import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.Path;
import java.lang.annotation.Annotation;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.keycloak.admin.client.resource.RealmResource;

/** The calls that the client has, and those that worked. */
final class Calls {

    static final Set<String> worked = new LinkedHashSet<>();

    private Calls() {}

    /** Notes the name of each call that returned; the resources that it returns do the same. */
    static <T> T recorded(Class<T> type, Object resource) {
        Object proxy = Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, given) -> {
            Object result;
            try {
                result = method.invoke(resource, given);
            } catch (InvocationTargetException failed) {
                throw failed.getCause();
            }
            if (httpMethod(method) == null && method.getReturnType().isInterface()) {
                return recorded(method.getReturnType(), result);
            }
            if (httpMethod(method) != null) {
                worked.add(name(method));
            }
            return result;
        });
        return type.cast(proxy);
    }

    static void collect(Class<?> type, String base, Set<Class<?>> above, Map<String, List<String>> found) {
        if (!above.add(type)) {
            return;
        }
        String path = join(base, type.getAnnotation(Path.class));
        for (Method method : type.getMethods()) {
            String address = join(path, method.getAnnotation(Path.class));
            if (httpMethod(method) != null) {
                found.put(name(method) + " " + address, List.of(httpMethod(method), address));
            } else if (method.getReturnType().isInterface()
                    && method.getReturnType().getPackage().equals(RealmResource.class.getPackage())) {
                collect(method.getReturnType(), address, new HashSet<>(above), found);
            }
        }
    }

    private static String join(String base, Path path) {
        String added = path == null ? "" : path.value().replaceAll("^/|/$", "");
        return added.isEmpty() ? base : base + "/" + added;
    }

    private static String name(Method method) {
        return method.getDeclaringClass().getSimpleName() + "." + method.getName();
    }

    private static String httpMethod(Method method) {
        return Arrays.stream(method.getAnnotations())
                .map(Annotation::annotationType)
                .map(annotation -> annotation.getAnnotation(HttpMethod.class))
                .filter(found -> found != null)
                .map(HttpMethod::value)
                .findFirst()
                .orElse(null);
    }
}
