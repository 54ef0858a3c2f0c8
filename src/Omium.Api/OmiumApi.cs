using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Omium.Api.Access;
using Omium.Api.Audit;
using Omium.Api.Analytics;
using Omium.Api.Billing;
using Omium.Api.Executions;
using Omium.Api.Failures;
using Omium.Api.Http;
using Omium.Api.Keys;
using Omium.Api.OpenApi;
using Omium.Api.Operations;
using Omium.Api.Policies;
using Omium.Api.Residue;
using Omium.Api.Reviews;
using Omium.Api.Secrets;
using Omium.Api.Sessions;
using Omium.Api.Sharing;
using Omium.Api.SingleSignOn;
using Omium.Api.Tenants;
using Omium.Api.Workers;
using Omium.Api.Workflows;
using Omium.Runtime.Audit;
using Omium.Runtime.Billing;
using Omium.Runtime.Effects.Secrets;
using Omium.Runtime.Effects.Tools;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Resources;
using Omium.Runtime.Search;
using Omium.Runtime.Security;
using Omium.Runtime.Workers;

namespace Omium.Api;

/// <summary>
/// The HTTP API, the same on every host: routes under <c>/v1</c>, and <c>/healthz</c> and <c>/readyz</c>.
/// <code>
/// request -> key -> route -> handler -> Advance (durable) -> view -> JSON
/// </code>
/// The host registers the stores (IEventLog, IPayloadStore, IDocumentStore, IIndex), IKeyWrap, PlanCache, Advancer, IExecutionEngine,
/// ResourceAdvancer (the one that its engine writes with), IModelClient and TimeProvider, and a TaskBoard that its engine offers tasks to;
/// everything else is added here.
/// </summary>
public static class OmiumApi
{
    /// <summary>Adds what the endpoints need.</summary>
    public static IServiceCollection AddOmiumApi(this IServiceCollection services, Action<OmiumApiOptions>? configure = null)
    {
        var options = services.AddOptions<OmiumApiOptions>();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.AddRouting();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ExecutionFeed>();
        services.TryAddSingleton<TaskBoard>();
        services.TryAddSingleton<Verifier>();
        services.TryAddSingleton(provider => new ResourceAdvancer(
            provider.GetRequiredService<IEventLog>(), provider.GetRequiredService<IKeyWrap>(), provider.GetRequiredService<TimeProvider>())
        {
            Storage = provider.GetRequiredService<Advancer>().Storage,
        });
        services.TryAddSingleton<ResourceVerifier>();
        services.TryAddSingleton<ScopeAliases>();
        services.TryAddSingleton<SearchTerms>();
        AddAccess(services);
        services.TryAddSingleton<WorkflowStore>();
        services.TryAddSingleton<PolicyStore>();
        services.TryAddSingleton<EndedAnswers>();
        services.TryAddSingleton<RateLimits>();
        services.TryAddSingleton<IdempotentRequests>();
        services.TryAddSingleton<BillingOptions>();
        services.TryAddSingleton(provider => new LedgerAdvancer(
            provider.GetRequiredService<IEventLog>(), provider.GetRequiredService<IKeyWrap>(), provider.GetRequiredService<TimeProvider>())
        {
            Storage = provider.GetRequiredService<Advancer>().Storage,
        });
        services.TryAddSingleton<LedgerVerifier>();
        services.TryAddSingleton(provider => new LedgerQueue(provider.GetRequiredService<LedgerAdvancer>())
        {
            Opening = _ => provider.GetRequiredService<BillingOptions>().Opening,
        });
        services.TryAddSingleton<BillingService>();
        services.TryAddSingleton(new CreditDesk(null));
        services.TryAddSingleton<IPaymentGateway, NoPayments>();
        services.TryAddSingleton<ApiServices>();
        return services;
    }

    /// <summary>Tenants, people, keys, and what is accounted for.</summary>
    private static void AddAccess(IServiceCollection services)
    {
        services.TryAddSingleton(provider => new AuditTrail(
            provider.GetRequiredService<IEventLog>(), provider.GetRequiredService<IKeyWrap>(), provider.GetRequiredService<TimeProvider>())
        {
            Storage = provider.GetRequiredService<Advancer>().Storage,
        });
        services.TryAddSingleton<PersonVault>();
        services.TryAddSingleton<AuditedStore>();
        services.TryAddSingleton<Acts>();
        services.TryAddSingleton<InstallationKeys>();
        services.TryAddSingleton<Passwords>();
        services.TryAddSingleton<SignInThrottle>();
        services.TryAddSingleton<TenantDirectory>();
        services.TryAddSingleton<SessionService>();
        services.TryAddSingleton<AccountService>();
        services.TryAddSingleton<StoredSecrets>();
        services.TryAddSingleton<ForkFamily>();
        services.TryAddSingleton<RetentionService>();
        services.TryAddSingleton(provider => new GuardedFetch(new ToolNetworkOptions(), provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<Issuers>();
        services.TryAddSingleton<SingleSignOnService>();
        services.TryAddSingleton<Authenticator>();
        services.TryAddSingleton<AuditSettler>();
        services.TryAddSingleton<ApprovalTokens>();
        services.TryAddSingleton<ApprovalThrottle>();
        services.AddHostedService(provider => provider.GetRequiredService<AuditSettler>());
        services.TryAddSingleton(provider => new KeyService(
            provider.GetRequiredService<IDocumentStore>(), provider.GetRequiredService<AuditedStore>(), provider.GetRequiredService<Acts>(),
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<KeyService>>()));
    }

    /// <summary>Maps every route.</summary>
    public static IEndpointRouteBuilder MapOmiumApi(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider.GetRequiredService<ApiServices>();
        var logger = endpoints.ServiceProvider.GetRequiredService<ILoggerFactory>().CreateLogger("Omium.Api");
        StorageLog.Attach(services.Advancer.Storage, logger);
        var routes = new ApiRoutes(endpoints, services, logger);
        KeyEndpoints.Map(routes);
        SessionEndpoints.Map(routes);
        MemberEndpoints.Map(routes);
        AuditEndpoints.Map(routes);
        SecretEndpoints.Map(routes);
        RetentionEndpoints.Map(routes);
        SingleSignOnEndpoints.Map(routes);
        WorkflowEndpoints.Map(routes);
        ImportEndpoints.Map(routes);
        ExecutionEndpoints.Map(routes);
        ExecutionHistoryEndpoints.Map(routes);
        ExecutionCommandEndpoints.Map(routes);
        ForkEndpoints.Map(routes);
        MigrationEndpoints.Map(routes);
        ExecutionStreamEndpoints.Map(routes);
        ReviewEndpoints.Map(routes);
        ApprovalEndpoints.Map(routes);
        FailureEndpoints.Map(routes);
        ResidueEndpoints.Map(routes);
        SharingEndpoints.Map(routes);
        PolicyEndpoints.Map(routes);
        WorkerEndpoints.Map(routes);
        Traced.TracedEndpoints.Map(routes);
        BillingEndpoints.Map(routes);
        OperationEndpoints.Map(routes);
        AnalyticsEndpoints.Map(routes);
        RecoveryEndpoints.Map(routes);
        OpenApiEndpoints.Map(routes);
        routes.MapUnknown();
        return endpoints;
    }
}
