import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.TreeSet;

/** Prints method and path of every resource of Keycloak's admin API, read from its JAX-RS annotations. */
public final class Addresses {
    private static final String ADMIN = "org.keycloak.services.resources.admin.";
    private static final String RS = "jakarta.ws.rs.";

    /** Locators whose return type is Object: Keycloak chooses the class at run time. */
    private static final Map<String, String> CHOSEN = Map.of(
            "AdminRoot.getRealmsAdmin", ADMIN + "RealmsAdminResource",
            "AdminRoot.getServerInfo", ADMIN + "info.ServerInfoAdminResource",
            "PermissionService.getResource", "org.keycloak.authorization.admin.PolicyTypeService",
            "PolicyService.getResource", "org.keycloak.authorization.admin.PolicyTypeService");

    /** Resources that Keycloak's own providers add below a realm, which RealmAdminResource.extension finds. */
    private static final Map<String, String> ADDED = Map.of(
            "clear-crl-cache", "ClearCrlCacheResource",
            "clear-keys-cache", "ClearKeysCacheResource",
            "clear-realm-cache", "ClearRealmCacheResource",
            "clear-user-cache", "ClearUserCacheResource",
            "ldap-server-capabilities", "LdapServerCapabilitiesResource",
            "testLDAPConnection", "TestLdapConnectionResource",
            "user-storage", "UserStorageProviderResource");

    private final TreeSet<String> found = new TreeSet<>();
    private final TreeSet<String> unresolved = new TreeSet<>();
    private final Deque<Class<?>> above = new ArrayDeque<>();

    public static void main(String[] arguments) throws Exception {
        Addresses addresses = new Addresses();
        addresses.walk(load(ADMIN + "AdminRoot"), "/admin");
        for (var added : ADDED.entrySet()) {
            addresses.walk(load(ADMIN + added.getValue()), "/admin/realms/{realm}/" + added.getKey());
        }
        addresses.found.forEach(System.out::println);
        addresses.unresolved.forEach(System.err::println);
    }

    private static Class<?> load(String name) throws ClassNotFoundException {
        return Class.forName(name, false, Addresses.class.getClassLoader());
    }

    private void walk(Class<?> resource, String path) throws Exception {
        if (above.contains(resource)) {
            return;
        }
        above.push(resource);
        for (Method method : resource.getMethods()) {
            if (!Modifier.isStatic(method.getModifiers()) && !method.isBridge()) {
                visit(resource, method, path);
            }
        }
        above.pop();
    }

    private void visit(Class<?> resource, Method method, String path) throws Exception {
        String verb = null;
        String below = null;
        for (Class<?> type = resource; type != null; type = type.getSuperclass()) {
            Method declared = find(type, method);
            verb = verb == null ? verb(declared) : verb;
            below = below == null ? path(declared) : below;
            for (Class<?> implemented : type.getInterfaces()) {
                Method named = find(implemented, method);
                verb = verb == null ? verb(named) : verb;
                below = below == null ? path(named) : below;
            }
        }
        String whole = below == null ? path : path + "/" + trim(below);
        if (verb != null) {
            found.add(verb + " " + whole.replaceAll("/+", "/"));
        } else if (below != null) {
            walk(locate(resource, method, whole), whole);
        }
    }

    private Class<?> locate(Class<?> resource, Method method, String path) throws Exception {
        String chosen = CHOSEN.get(resource.getSimpleName() + "." + method.getName());
        Class<?> located = chosen == null ? method.getReturnType() : load(chosen);
        if (located == Object.class) {
            unresolved.add("not resolved: " + resource.getSimpleName() + "." + method.getName() + " at " + path);
        }
        return located;
    }

    private static Method find(Class<?> type, Method method) {
        try {
            return type.getDeclaredMethod(method.getName(), method.getParameterTypes());
        } catch (NoSuchMethodException absent) {
            return null;
        }
    }

    private static String verb(Method method) {
        if (method != null) {
            for (String verb : new String[] {"GET", "POST", "PUT", "DELETE", "PATCH"}) {
                if (annotation(method, verb) != null) {
                    return verb;
                }
            }
        }
        return null;
    }

    private static String path(Method method) {
        Object annotation = method == null ? null : annotation(method, "Path");
        try {
            return annotation == null ? null : (String) annotation.getClass().getMethod("value").invoke(annotation);
        } catch (ReflectiveOperationException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static Object annotation(Method method, String name) {
        for (var each : method.getAnnotations()) {
            if (each.annotationType().getName().equals(RS + name)) {
                return each;
            }
        }
        return null;
    }

    private static String trim(String path) {
        return path.replaceAll("^/+|/+$", "").replaceAll("\\{\\s*([A-Za-z_-]+)\\s*:[^}]*\\}", "{$1}");
    }
}
