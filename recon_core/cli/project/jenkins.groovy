// The stages after this one start only where ledger and exchange agree.
pipeline {
    agent any
    options {
        timeout(time: 15, unit: 'MINUTES')
        disableConcurrentBuilds()
    }
    stages {
        stage('Reconcile') {
            steps {
                sh 'python3 -m venv .venv'
                // Where your project installs pytest-recon from; pin it there.
                sh '.venv/bin/python -m pip install -r requirements.txt'
                sh '.venv/bin/recon policy check'
                sh '.venv/bin/recon check tests/sessions --junit recon.xml --audit-log audit.jsonl'
            }
            post {
                always {
                    junit testResults: 'recon.xml', allowEmptyResults: true
                    archiveArtifacts artifacts: 'recon.xml,audit.jsonl', allowEmptyArchive: true
                }
            }
        }
    }
}
