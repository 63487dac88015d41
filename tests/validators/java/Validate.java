import com.nimbusds.jose.util.JSONArrayUtils;
import com.nimbusds.jose.util.JSONObjectUtils;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.springframework.core.convert.converter.Converter;
import org.springframework.security.authentication.AuthenticationProvider;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.AuthenticationException;
import org.springframework.security.core.GrantedAuthority;
import org.springframework.security.core.authority.SimpleGrantedAuthority;
import org.springframework.security.oauth2.core.DefaultOAuth2AuthenticatedPrincipal;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtDecoders;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.security.oauth2.server.resource.authentication.BearerTokenAuthenticationToken;
import org.springframework.security.oauth2.server.resource.authentication.JwtAuthenticationConverter;
import org.springframework.security.oauth2.server.resource.authentication.JwtAuthenticationProvider;
import org.springframework.security.oauth2.server.resource.authentication.JwtGrantedAuthoritiesConverter;
import org.springframework.security.oauth2.server.resource.authentication.OpaqueTokenAuthenticationProvider;
import org.springframework.security.oauth2.server.resource.introspection.OpaqueTokenIntrospector;
import org.springframework.security.oauth2.server.resource.introspection.SpringOpaqueTokenIntrospector;

/**
 * Spring Security as resource servers use it with Keycloak. Reads cases and prints what it answers to each
 * token, by setting and realm.
 */
public final class Validate {

    private interface Setting {
        AuthenticationProvider provider(Map<String, Object> given);
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, Setting> settings = new LinkedHashMap<>();
        settings.put("`JwtDecoders.fromIssuerLocation`", Validate::byIssuer);
        settings.put("`NimbusJwtDecoder.withJwkSetUri`", Validate::byJwkSetUri);
        settings.put("`SpringOpaqueTokenIntrospector`", Validate::byIntrospection);
        settings.put("`JwtValidators.createAtJwtValidator`", Validate::byRfc9068);
        String input = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        Map<String, Object> answers = new LinkedHashMap<>();
        for (Map.Entry<String, Setting> setting : settings.entrySet()) {
            Map<String, Object> byRealm = new LinkedHashMap<>();
            for (Object each : JSONArrayUtils.parse(input)) {
                Map<String, Object> given = object(each);
                byRealm.put((String) given.get("realm"), answersOf(setting.getValue().provider(given), given));
            }
            answers.put(setting.getKey(), byRealm);
        }
        System.out.println(JSONObjectUtils.toJSONString(answers));
    }

    private static AuthenticationProvider byIssuer(Map<String, Object> given) {
        return reading(JwtDecoders.fromIssuerLocation((String) given.get("issuer")));
    }

    private static AuthenticationProvider byJwkSetUri(Map<String, Object> given) {
        NimbusJwtDecoder decoder = NimbusJwtDecoder.withJwkSetUri((String) given.get("jwks_uri")).build();
        decoder.setJwtValidator(JwtValidators.createDefaultWithIssuer((String) given.get("issuer")));
        return reading(decoder);
    }

    private static AuthenticationProvider byRfc9068(Map<String, Object> given) {
        NimbusJwtDecoder decoder =
                NimbusJwtDecoder.withIssuerLocation((String) given.get("issuer")).validateType(false).build();
        decoder.setJwtValidator(JwtValidators.createAtJwtValidator()
                .issuer((String) given.get("issuer"))
                .audience((String) given.get("audience"))
                .clientId("worker")
                .build());
        return reading(decoder);
    }

    private static AuthenticationProvider byIntrospection(Map<String, Object> given) {
        OpaqueTokenIntrospector introspector =
                SpringOpaqueTokenIntrospector.withIntrospectionUri((String) given.get("introspection_endpoint"))
                        .clientId((String) given.get("audience"))
                        .clientSecret((String) given.get("secret"))
                        .build();
        return new OpaqueTokenAuthenticationProvider(token -> {
            var shown = introspector.introspect(token);
            List<GrantedAuthority> authorities = new ArrayList<>(shown.getAuthorities());
            authorities.addAll(roles(shown.getAttribute("realm_access"), shown.getAttribute("resource_access")));
            return new DefaultOAuth2AuthenticatedPrincipal(shown.getName(), shown.getAttributes(), authorities);
        });
    }

    /** Adds Keycloak's roles to the scopes that Spring reads by itself. */
    private static AuthenticationProvider reading(JwtDecoder decoder) {
        JwtGrantedAuthoritiesConverter scopes = new JwtGrantedAuthoritiesConverter();
        Converter<Jwt, Collection<GrantedAuthority>> authorities = token -> {
            Collection<GrantedAuthority> read = new ArrayList<>(scopes.convert(token));
            read.addAll(roles(token.getClaim("realm_access"), token.getClaim("resource_access")));
            return read;
        };
        JwtAuthenticationConverter converter = new JwtAuthenticationConverter();
        converter.setJwtGrantedAuthoritiesConverter(authorities);
        converter.setPrincipalClaimName("preferred_username");
        JwtAuthenticationProvider provider = new JwtAuthenticationProvider(decoder);
        provider.setJwtAuthenticationConverter(converter);
        return provider;
    }

    private static List<GrantedAuthority> roles(Map<String, Object> ofRealm, Map<String, Object> ofClients) {
        List<GrantedAuthority> read = new ArrayList<>();
        strings(ofRealm).forEach(role -> read.add(new SimpleGrantedAuthority("ROLE_" + role)));
        strings(object(ofClients.get("orders-api")))
                .forEach(role -> read.add(new SimpleGrantedAuthority("orders-api:" + role)));
        return read;
    }

    private static Map<String, Object> answersOf(AuthenticationProvider provider, Map<String, Object> given) {
        Map<String, Object> answers = new LinkedHashMap<>();
        object(given.get("tokens")).forEach((kind, token) -> answers.put(kind, answer(provider, (String) token)));
        return answers;
    }

    private static Map<String, Object> answer(AuthenticationProvider provider, String token) {
        Authentication authentication;
        try {
            authentication = provider.authenticate(new BearerTokenAuthenticationToken(token));
        } catch (AuthenticationException refused) {
            return Map.of("refused", String.valueOf(refused.getMessage()));
        }
        Collection<? extends GrantedAuthority> authorities = authentication.getAuthorities();
        if (!startingWith(authorities, "SCOPE_").contains("profile")) {
            throw new IllegalStateException("no scope in " + authorities);
        }
        return Map.of(
                "roles", startingWith(authorities, "ROLE_"),
                "client_roles", startingWith(authorities, "orders-api:"));
    }

    private static List<String> startingWith(Collection<? extends GrantedAuthority> authorities, String prefix) {
        Collection<String> found = new TreeSet<>();
        for (GrantedAuthority authority : authorities) {
            String name = authority.getAuthority();
            if (name != null && name.startsWith(prefix)) {
                found.add(name.substring(prefix.length()));
            }
        }
        return new ArrayList<>(found);
    }

    @SuppressWarnings("unchecked")
    private static List<String> strings(Map<String, Object> access) {
        return (List<String>) access.get("roles");
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> object(Object value) {
        return (Map<String, Object>) value;
    }
}
