using System.Security.Cryptography;
using Omium.Cli.Billing;
using Omium.Embedded.Engine;
using Omium.Embedded.Storage;
using Omium.Runtime.Billing;
using Omium.Runtime.Effects;
using Omium.Runtime.Effects.Mcp;
using Omium.Runtime.Effects.Models;
using Omium.Runtime.Effects.Notifications;
using Omium.Runtime.Effects.Secrets;
using Omium.Runtime.Effects.Tools;
using Omium.Runtime.Executions;
using Omium.Runtime.Resources;
using Omium.Runtime.Search;
using Omium.Runtime.Security;
using Omium.Runtime.Workers;

namespace Omium.Cli.Hosting;

/// <summary>
/// Everything under the API, in one process on one data directory: the store, the writer, the runners of effects and the engine.
/// </summary>
internal sealed class LocalPlatform : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private Task _sweeping = Task.CompletedTask;
    private readonly OpenAiModelClient _model;
    private readonly HttpToolClient _http;
    private readonly McpToolClient _mcp;
    private readonly Dictionary<string, WebhookChannel> _webhooks;

    private LocalPlatform(
        EmbeddedStore store, byte[] masterKey, ModelOptions model, ToolNetworkOptions network, IReadOnlyList<McpServerOptions> mcpServers, WorkerOptions workers, IReadOnlyList<WebhookOptions> webhooks,
        BillingOptions billing, ILoggerFactory logs)
    {
        Store = store;
        Plans = new PlanCache(store.Documents);
        Keys = new LocalKeyWrap(masterKey);
        Clock = new SteadyClock(TimeProvider.System);
        Clock.NotBefore(store.LastRecordUnixMs);
        Advancer = new Advancer(store.Log, store.Payloads, Plans, Keys, Clock) { Search = new SearchTerms(store.Documents, Keys) };
        Notifier = new LogChannel(logs.CreateLogger<LogChannel>());
        _webhooks = webhooks.ToDictionary(webhook => webhook.Name, webhook => new WebhookChannel(webhook, network), StringComparer.Ordinal);
        var channels = new NotificationChannels(Notifier, _webhooks.ToDictionary(pair => pair.Key, INotificationChannel (pair) => pair.Value, StringComparer.Ordinal));
        Functions = new FunctionRegistry();
        Functions.Register("noop", static (arguments, _) => new(arguments));
        _model = new OpenAiModelClient(model);
        Fetch = new GuardedFetch(network);
        var secrets = new FirstSecretSource(new StoredSecrets(store.Documents, Keys), new EnvironmentSecretSource(DevHost.Tenant));
        _http = new HttpToolClient(network, secrets);
        _mcp = new McpToolClient(network, secrets, mcpServers, DevHost.Tenant);
        // Intents of an earlier incarnation are not this one's to carry out, whatever its process id was.
        var owner = "dev-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        Resources = new ResourceAdvancer(store.Log, Keys, Clock) { Storage = Advancer.Storage };
        Aliases = new ScopeAliases(store.Documents);
        Ledger = new LedgerAdvancer(store.Log, Keys, Clock) { Storage = Advancer.Storage };
        LedgerQueue = new LedgerQueue(Ledger) { Opening = _ => billing.Opening };
        Credits = new ExecutionCredits(Advancer, Ledger, LedgerQueue, logs.CreateLogger<ExecutionCredits>())
        {
            Prices = billing.MetersModel ? PriceTable.Current : null, DefaultModel = model.Model ?? "",
        };
        Credits.Attach();
        Runner = new EffectRunner(Advancer, new SharedRunner(Advancer, Resources, Aliases), _model, new ToolClients(_http, new FunctionToolClient(Functions), _mcp), channels, owner)
        {
            Credits = Credits,
        };
        Tasks = new TaskBoard(Clock) { Lease = TimeSpan.FromMilliseconds(workers.LeaseMs) };
        Engine = new EmbeddedEngine(Advancer, Runner, store.Index, logs.CreateLogger<EmbeddedEngine>(), Clock,
            new EmbeddedEngineOptions { PauseRecovered = RestoredMark.Read(store.Directory) is { } takenAt ? $"restored from the backup of {takenAt}" : null }) { Tasks = Tasks };
        var secret = billing.WebhookSecret ?? "whsec_" + Convert.ToHexStringLower(HMACSHA256.HashData(masterKey, "omium.payment_webhook_secret.v1"u8));
        Checkout = new SandboxCheckout(store.Documents, secret, Clock, logs.CreateLogger<SandboxCheckout>());
        (Model, Billing) = (model, billing);
    }

    public EmbeddedStore Store { get; }

    public PlanCache Plans { get; }

    public IKeyWrap Keys { get; }

    /// <summary>The one clock of everything in this process.</summary>
    public SteadyClock Clock { get; }

    public Advancer Advancer { get; }

    public ResourceAdvancer Resources { get; }

    public ScopeAliases Aliases { get; }

    public LogChannel Notifier { get; }

    public FunctionRegistry Functions { get; }

    public EffectRunner Runner { get; }

    public EmbeddedEngine Engine { get; }

    /// <summary>What waits for workers.</summary>
    public TaskBoard Tasks { get; }

    public ModelOptions Model { get; }

    public BillingOptions Billing { get; }

    public LedgerAdvancer Ledger { get; }

    public LedgerQueue LedgerQueue { get; }

    /// <summary>What executions reserve and are charged.</summary>
    public ExecutionCredits Credits { get; }

    /// <summary>Stands for the payment service.</summary>
    public SandboxCheckout Checkout { get; }

    /// <summary>Asks issuers of single sign-on, under the rules of tools.</summary>
    public GuardedFetch Fetch { get; }

    /// <summary>The model client, for trying fixes beside an execution.</summary>
    public IModelClient ModelClient => _model;

    /// <summary>Puts the platform together over a store; takes the store over.</summary>
    /// <exception cref="InvalidDataException">The master key is damaged, missing, or another than the data's.</exception>
    public static async Task<LocalPlatform> CreateAsync(
        EmbeddedStore store, ModelOptions model, ToolNetworkOptions network, IReadOnlyList<McpServerOptions> mcpServers, WorkerOptions workers, IReadOnlyList<WebhookOptions> webhooks, BillingOptions billing,
        ILoggerFactory logs, CancellationToken cancellation) =>
        new(store, await MasterKey.OpenAsync(store, cancellation), model, network, mcpServers, workers, webhooks, billing, logs);

    /// <summary>Begins to hold open reservations against what executions say.</summary>
    public void BeginSweeping() => _sweeping = Task.Run(() => Credits.RunAsync(Clock, _stopping.Token));

    /// <summary>
    /// Takes up nothing new, then closes the store; what is in flight is resumed by the next start. From those who use to those who are used: the engine
    /// ends before the ledger that its records settle with, and both before the store.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _sweeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
        await Checkout.DisposeAsync();
        await Engine.DisposeAsync();
        Tasks.Dispose();
        await Credits.WaitAsync(TimeSpan.FromSeconds(2));
        await Store.DisposeAsync();
        _model.Dispose();
        _http.Dispose();
        await _mcp.DisposeAsync();
        Fetch.Dispose();
        foreach (var webhook in _webhooks.Values)
        {
            webhook.Dispose();
        }
    }
}
