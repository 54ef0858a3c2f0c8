using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Omium.Api;
using Omium.Api.Http;
using Omium.Api.Reviews;
using Omium.Azure.Hosting;
using Omium.Functions.Billing;
using Omium.Functions.Pump;
using Omium.Runtime.Billing;
using Omium.Runtime.Effects;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

// Wiring only: the platform is Omium.Azure's, the endpoints are Omium.Api's. The stores are opened before the host takes its first call, so that a wrong
// setting ends the start with a message that names it.
var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.Services.AddApplicationInsightsTelemetryWorkerService();
builder.Services.ConfigureFunctionsApplicationInsights();

using var logs = LoggerFactory.Create(logging => logging.AddConsole());
var pumps = new DurablePumps();
var settings = AzureSettings.Read(name => builder.Configuration[name]);
await using var platform = await AzurePlatform.CreateAsync(settings, builder.Configuration, pumps, logs);
if (StripeOptions.From(builder.Configuration, settings.Console) is { } stripe)
{
    builder.Services.AddSingleton(stripe).AddSingleton<IPaymentGateway, StripeCheckout>();
}

builder.Services
    .AddSingleton(pumps)
    .AddSingleton(platform.Activities)
    .AddSingleton(platform.Sweeper)
    .AddSingleton(platform)
    .AddSingleton<IEventLog>(platform.Store.Log)
    .AddSingleton<IPayloadStore>(platform.Store.Payloads)
    .AddSingleton<IDocumentStore>(platform.Store.Documents)
    .AddSingleton<IIndex>(platform.Store.Index)
    .AddSingleton(settings.Keys)
    .AddSingleton(platform.Plans)
    .AddSingleton(platform.Advancer)
    .AddSingleton(platform.Resources)
    .AddSingleton(platform.Aliases)
    .AddSingleton<IExecutionEngine>(platform.Engine)
    .AddSingleton(platform.Tasks)
    .AddSingleton(platform.Billing)
    .AddSingleton(platform.Ledger)
    .AddSingleton(platform.LedgerQueue)
    .AddSingleton(new CreditDesk(platform.Billing.IsMetered ? platform.Credits : null))
    .AddSingleton(platform.Model)
    .AddSingleton<TimeProvider>(platform.Clock)
    .AddOmiumApi(options =>
    {
        // The platform's load balancer cuts an answer off that is idle for 230 s, and an instance may be taken away under a long one.
        options.StreamFor = TimeSpan.FromSeconds(40);
        options.WaitMax = TimeSpan.FromSeconds(40);
        options.LookEvery = TimeSpan.FromSeconds(1);
        OmiumApiSettings.Apply(options, builder.Configuration);
    })
    .AddSingleton<ApiDispatcher>()
    .AddSingleton<ApprovalEvents>();

platform.BeginSweeping();
await builder.Build().RunAsync();
