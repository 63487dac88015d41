import static java.util.Map.entry;

import com.fasterxml.jackson.databind.ObjectMapper;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jboss.resteasy.plugins.providers.multipart.MultipartFormDataOutput;
import org.keycloak.OAuth2Constants;
import org.keycloak.admin.client.Keycloak;
import org.keycloak.admin.client.KeycloakBuilder;
import org.keycloak.admin.client.resource.ClientAttributeCertificateResource;
import org.keycloak.admin.client.resource.ClientResource;
import org.keycloak.admin.client.resource.ClientScopesResource;
import org.keycloak.admin.client.resource.ClientsResource;
import org.keycloak.admin.client.resource.ProtocolMappersResource;
import org.keycloak.admin.client.resource.RealmResource;
import org.keycloak.admin.client.resource.RealmsResource;
import org.keycloak.admin.client.resource.RoleByIdResource;
import org.keycloak.admin.client.resource.RoleMappingResource;
import org.keycloak.admin.client.resource.RoleResource;
import org.keycloak.admin.client.resource.RoleScopeResource;
import org.keycloak.admin.client.resource.ServerInfoResource;
import org.keycloak.admin.client.resource.UserResource;
import org.keycloak.admin.client.resource.UsersResource;
import org.keycloak.representations.KeyStoreConfig;
import org.keycloak.representations.idm.ClientRepresentation;
import org.keycloak.representations.idm.ClientScopeRepresentation;
import org.keycloak.representations.idm.PartialImportRepresentation;
import org.keycloak.representations.idm.ProtocolMapperRepresentation;
import org.keycloak.representations.idm.RealmRepresentation;
import org.keycloak.representations.idm.RoleRepresentation;

/**
 * Every call of Keycloak's Java admin client about machine clients, in an order in which each has something to do.
 * Prints the names of those that worked, and the method and address of every call that the client has.
 */
public final class Administer {

    private static final String REALM = "acme";

    public static void main(String[] arguments) throws Exception {
        try (Keycloak keycloak = KeycloakBuilder.builder()
                .serverUrl(System.getenv("BASE_URL"))
                .realm("master")
                .grantType(OAuth2Constants.CLIENT_CREDENTIALS)
                .clientId(System.getenv("CLIENT_ID"))
                .clientSecret(System.getenv("CLIENT_SECRET"))
                .build()) {
            administer(keycloak);
        } catch (WebApplicationException refused) {
            throw new IllegalStateException(refused.getResponse().readEntity(String.class), refused);
        }
        Map<String, List<String>> addresses = new TreeMap<>();
        for (Class<?> root : List.of(RealmsResource.class, ServerInfoResource.class)) {
            Calls.collect(root, "", new HashSet<>(), addresses);
        }
        System.out.println(new ObjectMapper()
                .writeValueAsString(Map.of("worked", Calls.worked, "addresses", addresses)));
    }

    private static void administer(Keycloak keycloak) {
        check(Calls.recorded(ServerInfoResource.class, keycloak.serverInfo()).getInfo().getSystemInfo().getVersion()
                .startsWith("26."));
        RealmsResource realms = Calls.recorded(RealmsResource.class, keycloak.realms());
        RealmRepresentation made = new RealmRepresentation();
        made.setRealm(REALM);
        made.setEnabled(true);
        realms.create(made);
        check(realms.findAll().size() == 2);
        RealmResource realm = realms.realm(REALM);
        RealmRepresentation shown = realm.toRepresentation();
        shown.setAccessTokenLifespan(120);
        realm.update(shown);
        check(realm.toRepresentation().getAccessTokenLifespan() == 120);
        check(!realm.keys().getKeyMetadata().getKeys().isEmpty());
        check(realm.clientPoliciesPoliciesResource().getPolicies(false).getPolicies().isEmpty());
        check(realm.clientPoliciesProfilesResource().getProfiles(false).getProfiles().isEmpty());
        check(realm.identityProviders().findAll().isEmpty());
        check(realm.identityProviders().find("", true, 0, 10).isEmpty());

        ClientsResource clients = realm.clients();
        ClientRepresentation representation = new ClientRepresentation();
        representation.setClientId("orders");
        representation.setServiceAccountsEnabled(true);
        String id = created(clients.create(representation));
        check(clients.findAll().size() == 1);
        check(clients.findByClientId("orders").get(0).getId().equals(id));
        check(clients.query("keyturn.audiences:nobody").isEmpty());
        ClientResource client = clients.get(id);
        check(client.getServiceAccountUser().getUsername().equals("service-account-orders"));
        secrets(client);
        certificates(client);
        check(client.getInstallationProvider("keycloak-oidc-keycloak-json").contains("\"orders\""));
        check(client.getInstallationProviderAsResponse("keycloak-oidc-keycloak-json").getStatus() == 200);
        mappers(client.getProtocolMappers());
        scopes(realm, client);
        roles(realm, client, id);
        mappings(realm, client, id);

        realm.clearKeysCache();
        shown.setNotBefore((int) (System.currentTimeMillis() / 1000));
        realm.update(shown);
        check(realm.pushRevocation().getFailedRequests() == null
                || realm.pushRevocation().getFailedRequests().isEmpty());
        client.pushRevocation();
        RealmRepresentation exported = realm.partialExport(false, true);
        check(exported.getClients().get(0).getId().equals(id));
        client.remove();
        PartialImportRepresentation file = new PartialImportRepresentation();
        file.setIfResourceExists("FAIL");
        file.setClients(exported.getClients());
        check(realm.partialImport(file).getStatus() == 200);
        check(clients.delete(clients.findByClientId("orders").get(0).getId()).getStatus() == 204);
        realm.remove();
    }

    private static void secrets(ClientResource client) {
        String first = client.getSecret().getValue();
        ClientRepresentation representation = client.toRepresentation();
        representation.setAttributes(Map.ofEntries(
                entry("keyturn.secret.expiration-period", "3600"),
                entry("keyturn.secret.rotated-expiration-period", "600")));
        client.update(representation);
        check(!client.generateNewSecret().getValue().equals(first));
        check(client.getClientRotatedSecret().getValue().equals(first));
        client.invalidateRotatedSecret();
        refuses(404, client::getClientRotatedSecret);
    }

    private static void certificates(ClientResource client) {
        ClientAttributeCertificateResource certificate = client.getCertficateResource("jwt.credential");
        String made = certificate.generate().getCertificate();
        check(certificate.getKeyInfo().getCertificate().equals(made));
        KeyStoreConfig config = new KeyStoreConfig();
        config.setFormat("JKS");
        config.setKeyAlias("orders");
        config.setKeyPassword("secret");
        config.setStorePassword("secret");
        byte[] archive = certificate.generateAndGetKeystore(config);
        check(archive.length > 1000 && certificate.getKeystore(config).length > 500);
        MultipartFormDataOutput form = new MultipartFormDataOutput();
        form.addFormData("keystoreFormat", "JKS", MediaType.TEXT_PLAIN_TYPE);
        form.addFormData("keyAlias", "orders", MediaType.TEXT_PLAIN_TYPE);
        form.addFormData("keyPassword", "secret", MediaType.TEXT_PLAIN_TYPE);
        form.addFormData("storePassword", "secret", MediaType.TEXT_PLAIN_TYPE);
        form.addFormData("file", archive, MediaType.APPLICATION_OCTET_STREAM_TYPE);
        check(!certificate.uploadJks(form).getCertificate().equals(made));
        MultipartFormDataOutput pem = new MultipartFormDataOutput();
        pem.addFormData("keystoreFormat", "Certificate PEM", MediaType.TEXT_PLAIN_TYPE);
        pem.addFormData("file", made.getBytes(StandardCharsets.US_ASCII), MediaType.APPLICATION_OCTET_STREAM_TYPE);
        check(certificate.uploadJksCertificate(pem).getCertificate().equals(made));
    }

    private static void scopes(RealmResource realm, ClientResource client) {
        ClientScopesResource scopes = realm.clientScopes();
        ClientScopeRepresentation tenant = new ClientScopeRepresentation();
        tenant.setName("tenant");
        tenant.setProtocol("openid-connect");
        String id = created(scopes.create(tenant));
        check(scopes.findAll().stream().anyMatch(scope -> scope.getId().equals(id)));
        ClientScopeRepresentation shown = scopes.get(id).toRepresentation();
        shown.setDescription("Of one tenant");
        scopes.get(id).update(shown);
        mappers(scopes.get(id).getProtocolMappers());
        realm.addDefaultDefaultClientScope(id);
        check(has(realm.getDefaultDefaultClientScopes(), id));
        realm.removeDefaultDefaultClientScope(id);
        realm.addDefaultOptionalClientScope(id);
        check(has(realm.getDefaultOptionalClientScopes(), id));
        realm.removeDefaultOptionalClientScope(id);
        client.addDefaultClientScope(id);
        check(has(client.getDefaultClientScopes(), id));
        client.removeDefaultClientScope(id);
        client.addOptionalClientScope(id);
        check(has(client.getOptionalClientScopes(), id));
        client.removeOptionalClientScope(id);
        scopes.get(id).remove();
    }

    private static void mappers(ProtocolMappersResource mappers) {
        check(mappers.getMappers().isEmpty());
        String id = created(mappers.createMapper(mapper(
                "for-api", "oidc-audience-mapper", entry("included.custom.audience", "api"))));
        mappers.createMapper(List.of(mapper(
                "tenant", "oidc-hardcoded-claim-mapper",
                entry("claim.name", "tenant"), entry("claim.value", "acme"), entry("jsonType.label", "String"))));
        check(mappers.getMappers().size() == 2 && mappers.getMappersPerProtocol("openid-connect").size() == 2);
        ProtocolMapperRepresentation shown = mappers.getMapperById(id);
        shown.getConfig().put("included.custom.audience", "another");
        mappers.update(id, shown);
        check(mappers.getMapperById(id).getConfig().get("included.custom.audience").equals("another"));
        mappers.getMappers().forEach(mapper -> mappers.delete(mapper.getId()));
        check(mappers.getMappers().isEmpty());
    }

    @SafeVarargs
    private static ProtocolMapperRepresentation mapper(
            String name, String kind, Map.Entry<String, String>... settings) {
        ProtocolMapperRepresentation made = new ProtocolMapperRepresentation();
        made.setName(name);
        made.setProtocol("openid-connect");
        made.setProtocolMapper(kind);
        Map<String, String> config = new HashMap<>(Map.of("access.token.claim", "true"));
        config.putAll(Map.ofEntries(settings));
        made.setConfig(config);
        return made;
    }

    private static void roles(RealmResource realm, ClientResource client, String clientUuid) {
        realm.roles().create(role("payments"));
        realm.roles().create(role("bookkeeping"));
        client.roles().create(role("read"));
        check(realm.roles().list("book", true).size() == 1 && realm.roles().list("book", false).size() == 1);
        check(client.roles().list().size() == 1);
        RoleRepresentation payments = realm.roles().get("payments").toRepresentation();
        RoleRepresentation read = client.roles().get("read").toRepresentation();
        check(read.getClientRole() && read.getContainerId().equals(clientUuid) && !payments.getClientRole());
        read.setDescription("Read orders");
        client.roles().get("read").update(read);
        RoleResource bookkeeping = realm.roles().get("bookkeeping");
        bookkeeping.addComposites(List.of(payments, read));
        check(bookkeeping.getRoleComposites().size() == 2);
        check(bookkeeping.getRealmRoleComposites().iterator().next().getName().equals("payments"));
        check(bookkeeping.getClientRoleComposites(clientUuid).iterator().next().getDescription().equals("Read orders"));
        bookkeeping.deleteComposites(List.of(payments, read));
        check(bookkeeping.getRoleComposites().isEmpty());
        RoleByIdResource byId = realm.rolesById();
        String id = bookkeeping.toRepresentation().getId();
        check(byId.getRole(id).getName().equals("bookkeeping"));
        byId.updateRole(id, bookkeeping.toRepresentation());
        byId.addComposites(id, List.of(payments, read));
        check(byId.getRoleComposites(id).size() == 2);
        check(byId.searchRoleComposites(id, "pay", 0, 10).size() == 1);
        check(byId.getRealmRoleComposites(id).size() == 1);
        check(byId.getClientRoleComposites(id, clientUuid).size() == 1);
        byId.deleteComposites(id, List.of(payments, read));
        byId.deleteRole(id);
        client.roles().deleteRole("read");
        realm.roles().get("payments").remove();
        check(realm.roles().list().stream().noneMatch(each -> each.getName().equals("payments")));
    }

    private static void mappings(RealmResource realm, ClientResource client, String clientUuid) {
        realm.roles().create(role("payments"));
        client.roles().create(role("read"));
        List<RoleRepresentation> payments = List.of(realm.roles().get("payments").toRepresentation());
        List<RoleRepresentation> read = List.of(client.roles().get("read").toRepresentation());
        UsersResource users = realm.users();
        String account = client.getServiceAccountUser().getId();
        check(users.searchByUsername("service-account-orders", true).get(0).getId().equals(account));
        check(users.list().isEmpty());
        UserResource user = users.get(account);
        check(user.toRepresentation().getUsername().equals("service-account-orders"));
        mapping(user.roles(), payments, read, clientUuid);
        user.roles().realmLevel().add(payments);
        check(realm.roles().get("payments").getUserMembers().get(0).getId().equals(account));
        check(realm.roles().get("payments").getRoleUserMembers().size() == 1);
        mapping(client.getScopeMappings(), payments, read, clientUuid);
        ClientScopeRepresentation tenant = new ClientScopeRepresentation();
        tenant.setName("tenant");
        tenant.setProtocol("openid-connect");
        String scope = created(realm.clientScopes().create(tenant));
        mapping(realm.clientScopes().get(scope).getScopeMappings(), payments, read, clientUuid);
        realm.clientScopes().get(scope).remove();
        client.roles().deleteRole("read");
        realm.roles().deleteRole("payments");
    }

    private static void mapping(
            RoleMappingResource roles, List<RoleRepresentation> ofRealm, List<RoleRepresentation> ofClient, String id) {
        RoleScopeResource realm = roles.realmLevel();
        RoleScopeResource client = roles.clientLevel(id);
        check(realm.listAvailable().stream().anyMatch(role -> role.getName().equals("payments")));
        check(client.listAvailable().size() == 1);
        realm.add(ofRealm);
        client.add(ofClient);
        check(realm.listAll().size() == 1 && client.listAll().size() == 1);
        check(realm.listEffective().size() == 1 && client.listEffective().size() == 1);
        check(roles.getAll().getRealmMappings().size() == 1 && roles.getAll().getClientMappings().size() == 1);
        realm.remove(ofRealm);
        client.remove(ofClient);
        check(realm.listAll().isEmpty() && client.listAll().isEmpty());
    }

    private static RoleRepresentation role(String name) {
        return new RoleRepresentation(name, "", false);
    }

    private static boolean has(List<ClientScopeRepresentation> scopes, String id) {
        return scopes.stream().anyMatch(scope -> scope.getId().equals(id));
    }

    private static String created(Response response) {
        check(response.getStatus() == 201);
        String location = response.getLocation().getPath();
        response.close();
        return location.substring(location.lastIndexOf('/') + 1);
    }

    private static void refuses(int status, Runnable call) {
        try {
            call.run();
        } catch (WebApplicationException refused) {
            check(refused.getResponse().getStatus() == status);
            return;
        }
        check(false);
    }

    private static void check(boolean holds) {
        if (!holds) {
            throw new IllegalStateException("after " + Calls.worked);
        }
    }
}
