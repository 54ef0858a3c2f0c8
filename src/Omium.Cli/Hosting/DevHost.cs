using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Omium.Api;
using Omium.Api.Keys;
using Omium.Cli.Billing;
using Omium.Embedded.Storage;
using Omium.Runtime.Billing;
using Omium.Runtime.Effects;
using Omium.Runtime.Effects.Mcp;
using Omium.Runtime.Effects.Models;
using Omium.Runtime.Effects.Notifications;
using Omium.Runtime.Effects.Tools;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Workers;

namespace Omium.Cli.Hosting;

/// <summary>
/// The whole platform in one process: store, engine, API and console on 127.0.0.1.
/// <code>
/// open the data directory (refused when held) -> listen -> recover what was under way -> ready
/// </code>
/// </summary>
internal sealed class DevHost : IAsyncDisposable
{
    private readonly LocalPlatform _platform;
    private readonly WebApplication _application;

    /// <summary>The tenant of whoever started the process.</summary>
    public const string Tenant = "ten_local";

    private readonly DemoServers? _demo;
    private volatile bool _isReady;

    private DevHost(LocalPlatform platform, WebApplication application, DemoServers? demo) => (_platform, _application, _demo) = (platform, application, demo);

    /// <summary>Where it listens, without a path.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>The API key of this installation.</summary>
    public string Key { get; private set; } = null!;

    /// <summary>Full path of the data directory.</summary>
    public string DataDirectory => _platform.Store.Directory;

    /// <summary>Directory of the console that is served, or null.</summary>
    public string? ConsoleDirectory { get; private set; }

    /// <summary>The model that agents ask, in words.</summary>
    public ModelOptions Model => _platform.Model;

    /// <summary>The demo's servers, when there are any.</summary>
    public DemoServers? Demo => _demo;

    /// <summary>How many executions were under way when it started.</summary>
    public int Recovered { get; private set; }

    /// <summary>Starts it. When it returns, <c>/readyz</c> answers 200.</summary>
    /// <exception cref="DataDirectoryInUseException">Another process has the data directory.</exception>
    /// <exception cref="IOException">The port is taken.</exception>
    /// <exception cref="InvalidOperationException">An option of the environment cannot be read.</exception>
    public static async Task<DevHost> StartAsync(DevOptions options, CancellationToken cancellation)
    {
        var store = EmbeddedStore.Open(new EmbeddedStoreOptions(options.DataDirectory));
        DemoServers? demo = null;
        DevHost? host = null;
        try
        {
            demo = options.Demo ? await DemoServers.StartAsync(cancellation) : null;
            var builder = CreateBuilder(options);
            var (model, network) = ReadEffectOptions(builder.Configuration, demo);
            using var logs = LoggerFactory.Create(logging => logging.AddProvider(new LineLogger()));
            var platform = await LocalPlatform.CreateAsync(
                store, model, network, McpServerOptions.From(builder.Configuration), WorkerOptions.From(builder.Configuration), WebhookOptions.From(builder.Configuration),
                BillingOptions.From(builder.Configuration), logs, cancellation);
            var application = Build(builder, platform);
            host = new DevHost(platform, application, demo);
            await host.ListenAsync(options, cancellation);
            return host;
        }
        catch
        {
            if (host is null)
            {
                await store.DisposeAsync();
                await (demo?.DisposeAsync() ?? ValueTask.CompletedTask);
            }
            else
            {
                await host.DisposeAsync();
            }

            throw;
        }
    }

    /// <summary>Ends the open requests, then the engine, then the store.</summary>
    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        await _platform.DisposeAsync();
        await (_demo?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private static WebApplicationBuilder CreateBuilder(DevOptions options)
    {
        // The empty builder: no configuration files to watch, no console logger, no server but the one named here.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddEnvironmentVariables();
        builder.Logging.AddProvider(new LineLogger());
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.Services.Replace(ServiceDescriptor.Singleton<IHostLifetime, QuietLifetime>());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, options.Port);
            kestrel.AddServerHeader = false;
        });
        return builder;
    }

    private static (ModelOptions Model, ToolNetworkOptions Network) ReadEffectOptions(ConfigurationManager configuration, DemoServers? demo)
    {
        var model = ModelOptions.From(configuration);
        var network = ToolNetworkOptions.From(configuration);
        if (string.Equals(configuration["OMIUM_ALLOW_PRIVATE_ADDRESSES"], "true", StringComparison.OrdinalIgnoreCase))
        {
            network = network with { AllowPrivateAddresses = true };
        }

        if (demo is not null)
        {
            model = model with { BaseUrl = demo.ModelUrl, ApiKey = null, Model = "scripted" };
            network = network with { AllowedHosts = [.. network.AllowedHosts, demo.ReceiverHost] };
        }

        return (model, network);
    }

    private static WebApplication Build(WebApplicationBuilder builder, LocalPlatform platform)
    {
        AddPlatform(builder.Services, platform);
        if (OmiumApiSettings.Mailer(builder.Configuration, platform.Clock) is { } mailer)
        {
            builder.Services.AddSingleton(mailer);
        }

        builder.Services.AddOmiumApi(options =>
        {
            options.RatePerSecond = 0; // Who holds a key of this machine would only stand in their own way.
            OmiumApiSettings.Apply(options, builder.Configuration);
        });
        var application = builder.Build();
        platform.Runner.OnDelta = application.Services.GetRequiredService<ExecutionFeed>().PublishDelta;
        application.Use(next => http => BrowserSafety.InvokeAsync(http, next));
        return application;
    }

    private static void AddPlatform(IServiceCollection services, LocalPlatform platform) => services
        .AddSingleton<IEventLog>(platform.Store.Log)
        .AddSingleton<IPayloadStore>(platform.Store.Payloads)
        .AddSingleton<IDocumentStore>(platform.Store.Documents)
        .AddSingleton<IIndex>(platform.Store.Index)
        .AddSingleton(platform.Keys)
        .AddSingleton(platform.Plans)
        .AddSingleton(platform.Advancer)
        .AddSingleton(platform.Resources)
        .AddSingleton(platform.Aliases)
        .AddSingleton(platform.Billing)
        .AddSingleton(platform.Ledger)
        .AddSingleton(platform.LedgerQueue)
        .AddSingleton(new CreditDesk(platform.Billing.IsMetered ? platform.Credits : null))
        .AddSingleton<IPaymentGateway>(platform.Checkout)
        .AddSingleton<IExecutionEngine>(platform.Engine)
        .AddSingleton(platform.Tasks)
        .AddSingleton(platform.Fetch)
        .AddSingleton<IModelClient>(platform.ModelClient)
        .AddSingleton<TimeProvider>(platform.Clock);

    private async Task ListenAsync(DevOptions options, CancellationToken cancellation)
    {
        Key = await KeyAsync(cancellation);
        ConsoleDirectory = options.Console ? ConsoleFiles.Find() : null;
        _application.UseRouting();
        _application.Use(next => http => _isReady || !http.Request.Path.Equals("/readyz", StringComparison.Ordinal) ? next(http) : NotReadyAsync(http));
        if (ConsoleDirectory is { } directory)
        {
            ConsoleFiles.Use(_application, directory);
        }

        ErrorPages.Map(_application);
        SandboxPages.Map(_application, _platform.Checkout);
        StatisticsEndpoint.Map(_application, _platform, Key);
        _application.MapOmiumApi();
        await _application.StartAsync(cancellation);
        Address = new Uri(_application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        _platform.Checkout.Address = Address;
        await _platform.Checkout.ResumeAsync(cancellation);
        _platform.BeginSweeping();
        Recovered = await _platform.Engine.StartAsync(cancellation);
        RestoredMark.Remove(DataDirectory);
        if (_demo is not null)
        {
            await DemoExamples.SaveAsync(Address, Key, _demo.Receiver, cancellation);
        }

        _isReady = true;
    }

    /// <summary>The key that an earlier start left, while it is active; else a new one.</summary>
    private async Task<string> KeyAsync(CancellationToken cancellation)
    {
        var keys = _application.Services.GetRequiredService<KeyService>();
        if (DataFiles.ReadKey(DataDirectory) is { } kept && await keys.IsActiveAsync(kept, cancellation))
        {
            return kept;
        }

        var made = await keys.CreateAsync(Tenant, "omium dev", "local", cancellation);
        DataFiles.WriteKey(DataDirectory, made.Secret!);
        return made.Secret!;
    }

    private static Task NotReadyAsync(HttpContext http)
    {
        http.Response.Headers.RetryAfter = "1";
        return HostProblem.WriteAsync(http, "not_ready", "What was under way is being taken up again.");
    }

    /// <summary>Signals are the program's own matter; the host waits for none.</summary>
    private sealed class QuietLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
